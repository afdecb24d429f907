/** Prints one figure as a line of JSON. */
export function figure(name: string, value: number, unit: string): void {
  process.stdout.write(`${JSON.stringify({ name, value: Number(value.toPrecision(4)), unit })}\n`);
}

/** Prints the middle and the slow end of many measurements. */
export function percentiles(name: string, values: readonly number[], unit: string): void {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  figure(`${name} p50`, at(0.5), unit);
  figure(`${name} p95`, at(0.95), unit);
  figure(`${name} max`, at(1), unit);
}
