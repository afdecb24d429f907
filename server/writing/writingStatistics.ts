import type { Statistics } from '../../protocol/completion.ts';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import { TaskQueue } from '../base/queue.ts';
import { type Counts, noCounts, sum } from './statisticsFile.ts';

/** When what was accepted is looked for again. */
const keptAfterMs = 30_000;

/** What is looked for at most, in sentences and in UTF-16 units: nobody accepts faster. */
const maxLookedFor = 64;
const maxLookedForLength = 4096;

/** How long counts may stay in memory only. */
const saveAfterMs = 10_000;

/** What can be counted by itself; `accepted` and `kept` belong together. */
export type Countable = Exclude<keyof Counts, 'accepted' | 'kept'>;

/** What all windows share; see `StatisticsFile`. */
export interface CountsOnDisk {
  read(): Promise<Statistics | null>;
  add(counts: Counts, since: number): Promise<void>;
  clear(): Promise<void>;
}

export interface WritingStatisticsParts {
  /** null where nothing may be stored: counts are of this window then. */
  file: CountsOnDisk | null;
  clock: Clock;
  logger: Logger;
  /** Tells whether a text still stands in a document; false when that is closed. */
  isStanding(uri: string, text: string): boolean;
}

/**
 * Counts what becomes of suggestions. Counting is adding to a number in memory; what is on disk
 * follows later. Accepted text is kept until it has been looked for, and never written.
 */
export class WritingStatistics {
  readonly #parts: WritingStatisticsParts;
  readonly #disk = new TaskQueue();
  readonly #looks = new Set<() => void>();
  #counts: Counts = { ...noCounts };
  /** When the counts in memory began. */
  #since: number;
  #cancelSave: (() => void) | null = null;
  #hasFailed = false;

  constructor(parts: WritingStatisticsParts) {
    this.#parts = parts;
    this.#since = parts.clock.now();
  }

  /** Counts one. */
  note(name: Countable): void {
    this.#count(name);
  }

  /** Counts a sentence that was accepted, and later whether it was kept. */
  noteAccepted(uri: string, text: string): void {
    this.#count('accepted');
    if (this.#looks.size >= maxLookedFor || text.length > maxLookedForLength) return;
    const cancel = this.#parts.clock.after(keptAfterMs, () => {
      this.#looks.delete(cancel);
      if (this.#parts.isStanding(uri, text)) this.#count('kept');
    });
    this.#looks.add(cancel);
  }

  /** Returns what all windows have counted, as far as it is known here. */
  read(): Promise<Statistics> {
    return this.#disk.run('urgent', async () => {
      const stored = await this.#parts.file?.read();
      return sum(stored ?? { since: this.#since, ...noCounts }, this.#counts);
    });
  }

  /** Forgets what was counted, here and on disk. */
  clear(): Promise<void> {
    return this.#disk.run('urgent', async () => {
      this.#forgetLooks();
      this.#counts = { ...noCounts };
      this.#since = this.#parts.clock.now();
      await this.#parts.file?.clear();
    });
  }

  /** Writes what is not yet written. */
  async dispose(): Promise<void> {
    this.#forgetLooks();
    await this.#save();
  }

  #count(name: keyof Counts): void {
    this.#counts[name] += 1;
    const { file, clock } = this.#parts;
    if (file === null || this.#cancelSave !== null) return;
    if (total(this.#counts) === 1) this.#since = clock.now();
    this.#cancelSave = clock.after(saveAfterMs, () => void this.#save());
  }

  /** What cannot be written now stays counted, and is written with what comes. */
  #save(): Promise<void> {
    this.#cancelSave?.();
    this.#cancelSave = null;
    return this.#disk.run('background', async () => {
      const { file, logger } = this.#parts;
      const counts = this.#counts;
      const since = this.#since;
      if (file === null || total(counts) === 0) return;
      this.#counts = { ...noCounts };
      try {
        await file.add(counts, since);
      } catch (error) {
        this.#counts = sum(this.#counts, counts);
        if (!this.#hasFailed) logger.warn(`statistics could not be written: ${String(error)}`);
        this.#hasFailed = true;
      }
    });
  }

  #forgetLooks(): void {
    for (const cancel of this.#looks) cancel();
    this.#looks.clear();
  }
}

function total(counts: Counts): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}
