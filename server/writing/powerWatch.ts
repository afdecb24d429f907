import type { Clock } from '../base/clock.ts';
import { isAbortError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';

/** Charge lasts for hours; a process for each look is not free on battery. */
const pollMs = 60_000;

export interface PowerWatchParts {
  /** Returns whether the machine runs on battery; null where it does not tell. */
  read(signal: AbortSignal): Promise<boolean | null>;
  clock: Clock;
  logger: Logger;
  /** Told on every change of `isOnBattery`. */
  onChange(isOnBattery: boolean | null): void;
}

/** Knows whether the machine runs on battery, for as long as someone wants to know. */
export class PowerWatch {
  readonly #parts: PowerWatchParts;
  /** What the machine told last. */
  #known: boolean | null = null;
  #told: boolean | null = null;
  #isWanted = false;
  #hasFailed = false;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #reading = new AbortController();
  #cancelNext = () => {};

  constructor(parts: PowerWatchParts) {
    this.#parts = parts;
  }

  /** null while nobody wants to know, and where the machine does not tell. */
  get isOnBattery(): boolean | null {
    return this.#isWanted ? this.#known : null;
  }

  /** Begins to look, at most once a minute, or stops. */
  want(isWanted: boolean): void {
    if (isWanted === this.#isWanted) return;
    this.#isWanted = isWanted;
    if (isWanted) this.#lookLater();
    else this.#stop();
    this.#tell();
  }

  dispose(): void {
    this.#isWanted = false;
    this.#stop();
  }

  #stop(): void {
    this.#reading.abort();
    this.#cancelNext();
  }

  #lookLater(): void {
    const { clock } = this.#parts;
    const sinceMs = clock.now() - this.#lookedAt;
    const isDue = sinceMs < 0 || sinceMs >= pollMs; // below 0 where the clock was set back
    if (isDue) void this.#look();
    else this.#cancelNext = clock.after(pollMs - sinceMs, () => void this.#look());
  }

  async #look(): Promise<void> {
    const { read, clock, logger } = this.#parts;
    const reading = new AbortController();
    this.#reading = reading;
    this.#lookedAt = clock.now();
    let known: boolean | null = null;
    try {
      known = await read(reading.signal);
    } catch (error) {
      if (isAbortError(error)) return;
      if (!this.#hasFailed) logger.warn(`power supply could not be read: ${String(error)}`);
      this.#hasFailed = true;
    }
    if (reading.signal.aborted) return;
    this.#known = known;
    this.#tell();
    this.#cancelNext = clock.after(pollMs, () => void this.#look());
  }

  #tell(): void {
    const { isOnBattery } = this;
    if (isOnBattery === this.#told) return;
    this.#told = isOnBattery;
    this.#parts.onChange(isOnBattery);
  }
}
