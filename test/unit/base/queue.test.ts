import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LatestOnly, type Priority, TaskQueue } from '../../../server/base/queue.ts';

/** A task that waits to be told to end. */
function gate() {
  let open = () => {};
  const closed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { task: () => closed, open };
}

/** Runs named tasks behind one that is already running, and compares the order of their turns. */
async function checkOrder(tasks: readonly [string, Priority][], expected: readonly string[]) {
  const queue = new TaskQueue();
  const { task, open } = gate();
  const first = queue.run('background', task);
  const order: string[] = [];
  const rest = tasks.map(([name, priority]) => queue.run(priority, async () => order.push(name)));
  open();
  await Promise.all([first, ...rest]);
  assert.deepEqual(order, expected);
}

test('tasks of one priority run in the order in which they came', async () => {
  await checkOrder(
    [
      ['a', 'urgent'],
      ['b', 'urgent'],
    ],
    ['a', 'b'],
  );
});

test('an urgent task goes before background tasks that wait', async () => {
  await checkOrder(
    [
      ['a', 'background'],
      ['b', 'background'],
      ['c', 'urgent'],
    ],
    ['c', 'a', 'b'],
  );
});

test('only one task runs at a time', async () => {
  const queue = new TaskQueue();
  let running = 0;
  let most = 0;
  const task = async () => {
    most = Math.max(most, ++running);
    await new Promise(setImmediate);
    running--;
  };
  await Promise.all(Array.from({ length: 5 }, () => queue.run('urgent', task)));
  assert.equal(most, 1);
});

test('a task that fails rejects its own promise and not the next', async () => {
  const queue = new TaskQueue();
  const failing = queue.run('urgent', async () => {
    throw new Error('broken');
  });
  const next = queue.run('urgent', async () => 2);
  await assert.rejects(failing, /broken/);
  assert.equal(await next, 2);
});

test('a task that is aborted while it waits never runs', async () => {
  const queue = new TaskQueue();
  const { task, open } = gate();
  const first = queue.run('urgent', task);
  const controller = new AbortController();
  let hasRun = false;
  const waiting = queue.run('urgent', async () => (hasRun = true), controller.signal);
  controller.abort();
  await assert.rejects(waiting, { name: 'AbortError' });
  open();
  await first;
  await queue.run('background', async () => {});
  assert.equal(hasRun, false);
});

test('a task whose signal is aborted already is refused', async () => {
  const run = new TaskQueue().run('urgent', async () => 1, AbortSignal.abort());
  await assert.rejects(run, { name: 'AbortError' });
});

/** Rejects when its signal is aborted, and ends when it is told to. */
function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason));
  });
}

test('the latest task aborts the one before', async () => {
  const latest = new LatestOnly();
  const first = latest.run(untilAborted);
  const second = latest.run(async () => 2);
  await assert.rejects(first, { name: 'AbortError' });
  assert.equal(await second, 2);
});

test('the caller of the latest task can abort it', async () => {
  const controller = new AbortController();
  const task = new LatestOnly().run(untilAborted, controller.signal);
  controller.abort();
  await assert.rejects(task, { name: 'AbortError' });
});
