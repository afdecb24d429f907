import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { Statistics } from '../../../protocol/completion.ts';
import { nullLogger } from '../../../server/base/logger.ts';
import { type Counts, noCounts, sum } from '../../../server/writing/statisticsFile.ts';
import { type CountsOnDisk, WritingStatistics } from '../../../server/writing/writingStatistics.ts';
import { SteppedClock } from '../../support/steppedClock.ts';

/** What several windows share, in memory; it fails as long as `failure` is there. */
class FakeDisk implements CountsOnDisk {
  statistics: Statistics | null = null;
  failure: Error | null = null;
  writes = 0;

  async read(): Promise<Statistics | null> {
    return this.statistics;
  }

  async add(counts: Counts, since: number): Promise<void> {
    await setImmediate();
    if (this.failure !== null) throw this.failure;
    this.writes += 1;
    this.statistics = sum(this.statistics ?? { since, ...noCounts }, counts);
  }

  async clear(): Promise<void> {
    this.statistics = null;
  }
}

/** A window with open documents. */
class Window {
  readonly clock = new SteppedClock();
  readonly warnings: string[] = [];
  readonly documents = new Map<string, string>();
  readonly statistics: WritingStatistics;

  constructor(file: CountsOnDisk | null) {
    this.statistics = new WritingStatistics({
      file,
      clock: this.clock,
      logger: { ...nullLogger, warn: (message) => void this.warnings.push(message) },
      isStanding: (uri, text) => this.documents.get(uri)?.includes(text) ?? false,
    });
  }

  /** Lets time pass, and what it begins come to its end. */
  async pass(durationMs: number): Promise<void> {
    this.clock.pass(durationMs);
    await this.statistics.read();
  }

  async check(expected: Partial<Counts>): Promise<void> {
    const { since: _, ...counts } = await this.statistics.read();
    assert.deepEqual(counts, { ...noCounts, ...expected });
  }
}

describe('WritingStatistics', () => {
  it('counts what becomes of suggestions', async () => {
    const window = new Window(null);
    for (const name of ['shown', 'shown', 'ready', 'acceptedPartly', 'rejected'] as const) {
      window.statistics.note(name);
    }
    await window.check({ shown: 2, ready: 1, acceptedPartly: 1, rejected: 1 });
  });

  it('counts as kept what still stands after 30 seconds', async () => {
    const window = new Window(null);
    window.documents.set('a', 'It was dark. She waited.');
    window.statistics.noteAccepted('a', 'She waited.');
    window.statistics.noteAccepted('a', 'Nobody came.');
    window.statistics.noteAccepted('closed', 'She waited.');
    await window.pass(29_999);
    await window.check({ accepted: 3 });
    await window.pass(1);
    await window.check({ accepted: 3, kept: 1 });
  });

  it('does not count as kept what is gone by then', async () => {
    const window = new Window(null);
    window.documents.set('a', 'She waited.');
    window.statistics.noteAccepted('a', 'She waited.');
    await window.pass(20_000);
    window.documents.set('a', 'She was waiting.');
    await window.pass(10_000);
    await window.check({ accepted: 1 });
  });

  it('looks again for no more than a writer accepts', async () => {
    const window = new Window(null);
    window.documents.set('a', 'She waited.');
    window.statistics.noteAccepted('a', 'x'.repeat(5000));
    for (let time = 0; time < 100; time++) window.statistics.noteAccepted('a', 'She waited.');
    await window.pass(30_000);
    await window.check({ accepted: 101, kept: 64 });
  });

  it('writes some time later, once for all that was counted until then', async () => {
    const disk = new FakeDisk();
    const window = new Window(disk);
    for (let time = 0; time < 9; time++) {
      window.statistics.note('shown');
      await window.pass(1000);
    }
    assert.equal(disk.writes, 0);
    await window.check({ shown: 9 });
    await window.pass(1000);
    assert.equal(disk.writes, 1);
    assert.deepEqual(disk.statistics, { since: 0, ...noCounts, shown: 9 });
    await window.pass(600_000);
    assert.equal(disk.writes, 1);
    await window.check({ shown: 9 });
  });

  it('tells the same before, while and after it is written', async () => {
    const window = new Window(new FakeDisk());
    window.statistics.note('shown');
    await window.check({ shown: 1 });
    window.clock.pass(10_000);
    await window.check({ shown: 1 });
    await window.check({ shown: 1 });
  });

  it('tells what other windows have written', async () => {
    const disk = new FakeDisk();
    const [one, other] = [new Window(disk), new Window(disk)];
    one.statistics.note('shown');
    other.statistics.note('shown');
    other.statistics.note('typed');
    await one.statistics.dispose();
    await other.statistics.dispose();
    await one.check({ shown: 2, typed: 1 });
    assert.equal(disk.writes, 2);
  });

  it('says since when the counts on disk are: since the first of them was counted', async () => {
    const disk = new FakeDisk();
    const window = new Window(disk);
    await window.pass(5000);
    window.statistics.note('shown');
    await window.pass(10_000);
    assert.equal(disk.statistics?.since, 5000);
    assert.equal((await window.statistics.read()).since, 5000);
  });

  it('forgets everything, also what would have been looked for', async () => {
    const disk = new FakeDisk();
    const window = new Window(disk);
    window.documents.set('a', 'She waited.');
    window.statistics.note('shown');
    await window.pass(10_000);
    window.statistics.noteAccepted('a', 'She waited.');
    await window.statistics.clear();
    await window.check({});
    assert.equal((await window.statistics.read()).since, 10_000);
    await window.pass(60_000);
    await window.check({});
    window.statistics.note('shown');
    await window.check({ shown: 1 });
  });

  it('forgets what is being written as well', async () => {
    for (const failure of [null, new Error('full')]) {
      const disk = new FakeDisk();
      disk.failure = failure;
      const window = new Window(disk);
      window.statistics.note('shown');
      window.clock.pass(10_000);
      await window.statistics.clear();
      await window.check({});
    }
  });

  it('keeps what cannot be written, says so once, and writes it later', async () => {
    const disk = new FakeDisk();
    disk.failure = new Error('full');
    const window = new Window(disk);
    for (let time = 0; time < 3; time++) {
      window.statistics.note('shown');
      await window.pass(10_000);
    }
    await window.check({ shown: 3 });
    assert.deepEqual(window.warnings, ['statistics could not be written: Error: full']);
    disk.failure = null;
    window.statistics.note('shown');
    await window.pass(10_000);
    assert.equal(disk.statistics?.shown, 4);
  });

  it('writes what is left when it is disposed of, and nothing after', async () => {
    const disk = new FakeDisk();
    const window = new Window(disk);
    window.documents.set('a', 'She waited.');
    window.statistics.noteAccepted('a', 'She waited.');
    await window.statistics.dispose();
    assert.equal(disk.statistics?.accepted, 1);
    await window.pass(60_000);
    assert.equal(disk.writes, 1);
  });

  it('writes nothing when nothing was counted', async () => {
    const disk = new FakeDisk();
    await new Window(disk).statistics.dispose();
    assert.equal(disk.writes, 0);
  });
});
