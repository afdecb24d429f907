import type { Clock } from '../../server/base/clock.ts';

/** A clock that stands still until a test moves it. */
export class SteppedClock implements Clock {
  #nowMs = 0;
  readonly #waiting = new Set<{ at: number; callback: () => void }>();

  now(): number {
    return this.#nowMs;
  }

  after(durationMs: number, callback: () => void): () => void {
    const waiting = { at: this.#nowMs + durationMs, callback };
    this.#waiting.add(waiting);
    return () => this.#waiting.delete(waiting);
  }

  /** Lets time pass: what waits for a moment on the way is called, in order. */
  pass(durationMs: number): void {
    const end = this.#nowMs + durationMs;
    for (;;) {
      const [next] = [...this.#waiting]
        .filter(({ at }) => at <= end)
        .toSorted((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.#waiting.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.at);
      next.callback();
    }
    this.#nowMs = end;
  }
}
