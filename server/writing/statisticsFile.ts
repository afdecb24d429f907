import { mkdir, open, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Statistics } from '../../protocol/completion.ts';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';

/** The counts of `Statistics`, without the time that they are of. */
export type Counts = Omit<Statistics, 'since'>;

export const noCounts: Readonly<Counts> = {
  shown: 0,
  accepted: 0,
  acceptedPartly: 0,
  typed: 0,
  kept: 0,
  rejected: 0,
  ready: 0,
};

/** Ours has some 150 bytes; a larger file is not ours. */
const maxSizeBytes = 1 << 12;

export interface StatisticsFileParts {
  path: string;
  clock: Clock;
  logger: Logger;
  /** Runs something while no other window does the like. */
  exclusively<T>(body: () => Promise<T>): Promise<T>;
}

/**
 * The statistics on disk, which all windows share: each adds what it has counted. The file is
 * replaced as a whole; one that cannot be read is set aside.
 */
export class StatisticsFile {
  readonly #parts: StatisticsFileParts;

  constructor(parts: StatisticsFileParts) {
    this.#parts = parts;
  }

  /** Returns what is on disk; null when there is nothing that can be read. */
  async read(): Promise<Statistics | null> {
    const text = await this.#text();
    return text === null ? null : parseStatistics(text);
  }

  /**
   * Adds counts to those on disk, unless they were cleared later than these began.
   *
   * @param since  when the counts began, in milliseconds since 1970
   */
  add(counts: Counts, since: number): Promise<void> {
    return this.#parts.exclusively(async () => {
      const text = await this.#text();
      const stored = text === null ? null : parseStatistics(text);
      if (text !== null && stored === null) await this.#setAside();
      const now = this.#parts.clock.now();
      if (stored !== null && since < stored.since && stored.since <= now) return;
      const begun = Math.min(stored?.since ?? since, now); // a clock may have been wrong
      await this.#write({ ...sum(stored ?? { since, ...noCounts }, counts), since: begun });
    });
  }

  /** Begins anew. */
  clear(): Promise<void> {
    const { exclusively, clock } = this.#parts;
    return exclusively(() => this.#write({ since: clock.now(), ...noCounts }));
  }

  async #text(): Promise<string | null> {
    const file = await open(this.#parts.path).catch(missing);
    if (file === null) return null;
    try {
      // One byte more than ours may have tells that a file is too long, whatever its size.
      const { buffer, bytesRead } = await file.read(Buffer.alloc(maxSizeBytes + 1));
      return bytesRead > maxSizeBytes ? '' : buffer.toString('utf8', 0, bytesRead);
    } finally {
      await file.close();
    }
  }

  async #setAside(): Promise<void> {
    const { path, logger } = this.#parts;
    await rename(path, `${path}.damaged`);
    logger.warn('statistics could not be read: they were set aside, and begin anew');
  }

  async #write(statistics: Statistics): Promise<void> {
    const { path } = this.#parts;
    const part = `${path}.part`;
    await mkdir(dirname(path), { recursive: true });
    await writeFile(part, `${JSON.stringify(statistics)}\n`);
    await rename(part, path);
  }
}

/** Adds counts to others; they stay whole numbers that JSON keeps. */
export function sum<T extends Counts>(counts: T, more: Counts): T {
  const total: Counts = { ...counts };
  for (const name of countNames) {
    total[name] = Math.min(counts[name] + more[name], Number.MAX_SAFE_INTEGER);
  }
  return { ...counts, ...total };
}

const countNames: readonly (keyof Counts)[] = [
  'shown',
  'accepted',
  'acceptedPartly',
  'typed',
  'kept',
  'rejected',
  'ready',
];

/** Returns null for what is not ours. A count that an older version did not have is 0. */
function parseStatistics(text: string): Statistics | null {
  const value: unknown = parseJson(text);
  if (typeof value !== 'object' || value === null) return null;
  const fields: Partial<Record<string, unknown>> = { ...value };
  const { since } = fields;
  if (!isCount(since)) return null;
  const statistics: Statistics = { since, ...noCounts };
  for (const name of countNames) {
    const count = fields[name] ?? 0;
    if (!isCount(count)) return null;
    statistics[name] = count;
  }
  return statistics;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** @throws every error but that of a file that is not there */
function missing(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null;
  throw error;
}
