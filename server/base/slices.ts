/** Time for which long work may keep the thread busy at once. */
const sliceMs = 10;

/** Does long work, step by step, without keeping the thread from anything else for long. */
export async function inSlices(steps: Iterable<unknown>, signal?: AbortSignal): Promise<void> {
  let start = performance.now();
  for (const _ of steps) {
    if (performance.now() - start < sliceMs) continue;
    await new Promise(setImmediate);
    signal?.throwIfAborted();
    start = performance.now();
  }
}
