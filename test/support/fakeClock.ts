import type { Clock } from '../../server/base/clock.ts';
import { beatMs } from '../../server/store/fileLock.ts';
import { idleLimitMs } from '../../server/store/http.ts';

/**
 * A clock for tests: a wait between two attempts is over at once and remembered; the time of what
 * watches over a connection or a lock runs out when `expire` says so.
 */
export class FakeClock implements Clock {
  /** Waits that were asked for, in order. */
  readonly waits: number[] = [];
  #nowMs = Date.UTC(2026, 0, 1);
  readonly #held = new Set<{ durationMs: number; callback: () => void }>();

  now(): number {
    return this.#nowMs;
  }

  after(durationMs: number, callback: () => void): () => void {
    if (durationMs === idleLimitMs || durationMs === beatMs) {
      const held = { durationMs, callback };
      this.#held.add(held);
      return () => this.#held.delete(held);
    }
    this.waits.push(durationMs);
    const immediate = setImmediate(callback);
    return () => clearImmediate(immediate);
  }

  /** Lets a time run out for all who wait for it now. */
  expire(durationMs: number): void {
    this.#nowMs += durationMs; // so that whoever shows a sign of life shows a new one
    for (const held of [...this.#held]) {
      if (held.durationMs === durationMs && this.#held.delete(held)) held.callback();
    }
  }
}
