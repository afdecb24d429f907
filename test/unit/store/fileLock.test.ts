import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { isAbortError } from '../../../server/base/errors.ts';
import { beatMs, withFileLock } from '../../../server/store/fileLock.ts';
import { FakeClock } from '../../support/fakeClock.ts';

const folder = mkdtempSync(join(tmpdir(), 'thoughtline-lock-'));
const path = join(folder, 'install.lock');
after(() => rmSync(folder, { recursive: true }));

let clock: FakeClock;
beforeEach(() => {
  clock = new FakeClock();
});

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Lets time pass until something is settled. */
async function passTime(promise: Promise<unknown>): Promise<void> {
  let isSettled = false;
  const settle = () => {
    isSettled = true;
  };
  promise.then(settle, settle);
  while (!isSettled) {
    clock.expire(beatMs);
    await turn();
  }
}

function writeHolder(holder: object): void {
  writeFileSync(path, JSON.stringify(holder));
}

test('bodies run one after the other, and the lock is gone afterwards', async () => {
  const events: string[] = [];
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const entered = new Promise<void>((enter) => {
    void withFileLock(path, { clock }, async () => {
      events.push('first in');
      enter();
      await held;
      events.push('first out');
    });
  });
  await entered;
  const waits = new Promise<void>((onWait) => {
    const second = withFileLock(path, { clock, onWait }, async () => {
      events.push('second');
    });
    void passTime(second).then(() => events.push('done'));
  });
  await waits;
  release();
  while (!events.includes('done')) await turn();
  assert.deepEqual(events, ['first in', 'first out', 'second', 'done']);
  assert.deepEqual(readdirSync(folder), []);
});

test('what the body throws comes out, and the lock is gone', async () => {
  const failing = withFileLock(path, { clock }, () => Promise.reject(new Error('no')));
  await assert.rejects(failing, /no/);
  assert.ok(!existsSync(path));
});

test('a holder that died is noticed at once', async () => {
  const { pid } = spawnSync(process.execPath, ['--version']);
  writeHolder({ host: hostname(), pid, id: 'x' });
  assert.equal(await withFileLock(path, { clock }, async () => 'mine'), 'mine');
  assert.deepEqual(readdirSync(folder), []);
});

for (const [name, holder] of [
  ['on another machine', { host: 'elsewhere', pid: 1, id: 'x' }],
  ['under a reused process id', { host: hostname(), pid: process.pid, id: 'x' }],
  ['that wrote nothing', {}],
] as const) {
  test(`a holder ${name} that shows no life for long is taken for dead`, async () => {
    writeHolder(holder);
    const mine = withFileLock(path, { clock }, async () => 'mine');
    await passTime(mine);
    assert.equal(await mine, 'mine');
  });
}

test('who waits can give up', async () => {
  writeHolder({ host: 'elsewhere', pid: 1, id: 'x' });
  const cancelled = new AbortController();
  const options = { clock, signal: cancelled.signal, onWait: () => cancelled.abort() };
  await assert.rejects(
    withFileLock(path, options, async () => 'mine'),
    isAbortError,
  );
  assert.ok(existsSync(path), 'the lock of the other stays');
  rmSync(path);
});
