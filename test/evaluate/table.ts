/** Nested figures, as they are written to the file. */
export type Figures = { readonly [name: string]: unknown };

/** Returns one line per number, its path and its value, lists of examples left out. */
export function tableOf(figures: Figures): string[] {
  const rows = rowsOf('', figures);
  const width = Math.max(0, ...rows.map(([path]) => path.length));
  return rows.map(([path, value]) => `${path.padEnd(width)}  ${formatNumber(value)}`);
}

function rowsOf(path: string, value: unknown): [string, number][] {
  if (typeof value === 'number') return [[path, value]];
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  return Object.entries(value).flatMap(([name, inner]) =>
    rowsOf(path === '' ? name : `${path} · ${name}`, inner),
  );
}

function formatNumber(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(Math.abs(value) < 10 ? 3 : 1);
}
