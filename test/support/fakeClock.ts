import type { Clock } from '../../server/store/clock.ts';
import { beatMs } from '../../server/store/fileLock.ts';
import { idleLimitMs } from '../../server/store/http.ts';

/**
 * A clock for tests: a wait between two attempts is over at once and remembered; the time of what
 * watches over a connection or a lock runs out when `expire` says so.
 */
export class FakeClock implements Clock {
  /** Waits that were asked for, in order. */
  readonly waits: number[] = [];
  readonly #held = new Set<{ durationMs: number; callback: () => void }>();

  now(): number {
    return Date.UTC(2026, 0, 1);
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
    for (const held of [...this.#held]) {
      if (held.durationMs === durationMs && this.#held.delete(held)) held.callback();
    }
  }
}
