/** Longest reason for a tooltip. */
const maxReasonLength = 160;

/** What ONNX Runtime and the loader of libraries say, and what it means. */
const meanings: readonly [RegExp, (match: RegExpExecArray) => string][] = [
  [/([\w.+-]+\.so[\w.]*): cannot open shared object file/, ([, file]) => `${file} was not found`],
  [/error loading "?[^"]*?([\w.-]+\.dll)/i, ([, file]) => `${file} or what it needs was not found`],
  [/No supported adapters/i, () => 'no graphics adapter with a driver was found'],
  [/requires f16 but the device/i, () => 'this graphics adapter does not compute in fp16'],
  [/no available backend found|is not supported in this build/i, () => 'not part of this build'],
  [/CUDA driver version is insufficient/i, () => "NVIDIA's driver is too old"],
  [/no CUDA-capable device/i, () => 'no NVIDIA graphics card was found'],
];

/** Returns why a device failed, in words a writer can act on. */
export function plainReason(error: string, messages = ''): string {
  for (const [pattern, meaning] of meanings) {
    const match = pattern.exec(messages) ?? pattern.exec(error);
    if (match !== null) return meaning(match);
  }
  const line = error.replace(/^.*ONNX Runtime refused: /, '').split('\n')[0] ?? '';
  return line.length > maxReasonLength ? `${line.slice(0, maxReasonLength)} …` : line;
}
