import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { nullLogger } from '../../../server/base/logger.ts';
import { TaskQueue } from '../../../server/base/queue.ts';
import { type Counts, noCounts, StatisticsFile } from '../../../server/writing/statisticsFile.ts';
import { FakeClock } from '../../support/fakeClock.ts';

let folder = '';
let files = 0;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'thoughtline-statistics-'));
});

after(() => rm(folder, { recursive: true }));

const now = new FakeClock().now();

/** Stands for the lock that windows share. */
const lock = new TaskQueue();

/** Returns statistics at a path of their own, or at that of another window. */
function create(path = join(folder, String(files++), 'statistics.json')) {
  const warnings: string[] = [];
  const file = new StatisticsFile({
    path,
    clock: new FakeClock(),
    logger: { ...nullLogger, warn: (message) => void warnings.push(message) },
    exclusively: (body) => lock.run('urgent', body),
  });
  return { file, path, warnings };
}

const counts = (some: Partial<Counts>): Counts => ({ ...noCounts, ...some });

/** Writes what was not written by us, counts one, and reads what has become of it. */
async function checkFound(content: string, shown: number, isSetAside: boolean): Promise<void> {
  const { file, path, warnings } = create();
  await file.add(noCounts, now);
  await writeFile(path, content);
  const label = content.slice(0, 60);
  assert.equal(await file.read().then((read) => read === null), isSetAside, label);
  await file.add(counts({ shown: 1 }), now);
  assert.equal((await file.read())?.shown, shown, label);
  assert.equal(warnings.length, isSetAside ? 1 : 0, label);
  const names = await readdir(join(path, '..'));
  assert.deepEqual(names, ['statistics.json', ...(isSetAside ? ['statistics.json.damaged'] : [])]);
}

describe('StatisticsFile', () => {
  it('has nothing at first, and makes its folder', async () => {
    const { file, path } = create();
    assert.equal(await file.read(), null);
    await file.add(counts({ shown: 2, typed: 1 }), 1000);
    assert.deepEqual(await file.read(), { since: 1000, ...counts({ shown: 2, typed: 1 }) });
    assert.deepEqual(await readdir(join(path, '..')), ['statistics.json']);
  });

  it('added one by one is the same as added together', async () => {
    const one = create().file;
    const other = create().file;
    for (let time = 0; time < 3; time++) await one.add(counts({ shown: 1, kept: 2 }), 1000);
    await other.add(counts({ shown: 3, kept: 6 }), 1000);
    assert.deepEqual(await one.read(), await other.read());
  });

  it('loses nothing when windows write at the same time', async () => {
    const { path } = create();
    const windows = Array.from({ length: 8 }, () => create(path).file);
    await Promise.all(
      windows.flatMap((file) => [
        file.add(counts({ shown: 1 }), 1000),
        file.add(counts({ rejected: 1 }), 1000),
      ]),
    );
    assert.deepEqual(await create(path).file.read(), {
      since: 1000,
      ...counts({ shown: 8, rejected: 8 }),
    });
  });

  it('leaves aside what another window counted before it was cleared', async () => {
    const { file, path } = create();
    await file.add(counts({ shown: 5 }), 1000);
    await file.clear();
    await create(path).file.add(counts({ shown: 3 }), now - 1);
    assert.deepEqual(await file.read(), { since: now, ...noCounts });
    await create(path).file.add(counts({ shown: 3 }), now);
    assert.equal((await file.read())?.shown, 3);
  });

  it('goes on with counts of a clock that was ahead', async () => {
    const { file, path } = create();
    await file.add(noCounts, now);
    await writeFile(path, JSON.stringify({ since: now * 2, shown: 7 }));
    await file.add(counts({ shown: 1 }), now);
    assert.deepEqual(await file.read(), { since: now, ...counts({ shown: 8 }) });
  });

  it('sets aside what it cannot read, and begins anew', async () => {
    await checkFound('', 1, true);
    await checkFound('\0\0\0\0', 1, true);
    await checkFound('null', 1, true);
    await checkFound('[]', 1, true);
    await checkFound('"shown"', 1, true);
    await checkFound('{}', 1, true);
    await checkFound('{"since":"now","shown":1}', 1, true);
    await checkFound('{"since":1,"shown":-1}', 1, true);
    await checkFound('{"since":1,"shown":1.5}', 1, true);
    await checkFound('{"since":1,"shown":1e300}', 1, true);
    await checkFound(`{"since":1,"shown":1}${' '.repeat(5000)}`, 1, true);
    await checkFound(`${'['.repeat(4096)}`, 1, true);
  });

  it('takes files of other versions', async () => {
    await checkFound('{"since":1,"shown":4}', 5, false);
    await checkFound('{"since":1,"shown":4,"dreamt":"x","__proto__":{"typed":1}}', 5, false);
    await checkFound('{"since":1}\n', 1, false);
  });

  it('counts no further than a number can', async () => {
    const most = Number.MAX_SAFE_INTEGER;
    await checkFound(`{"since":1,"shown":${most}}`, most, false);
  });

  it('reads nothing of a file that is cut anywhere but all or nothing', async () => {
    const { file, path } = create();
    await file.add(counts({ shown: 12, ready: 10 }), 1000);
    const whole = (await readFile(path, 'utf8')).trimEnd();
    for (let end = 0; end < whole.length; end++) {
      await writeFile(path, whole.slice(0, end));
      assert.equal(await file.read(), null);
    }
  });

  it('tells an error that is not about a missing file', async () => {
    const { file } = create(join(folder, '.'));
    await assert.rejects(file.read(), { code: /^(EISDIR|EPERM|EACCES)$/ });
  });
});
