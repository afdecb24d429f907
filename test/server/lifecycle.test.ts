import assert from 'node:assert/strict';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { ServerProcess } from '../support/serverProcess.ts';

test('shutdown and exit end the process with status 0, even in the middle of work', async () => {
  const server = await ServerProcess.start();
  const text = Array.from({ length: 500 }, (_, i) => `This is sentence number ${i}.`).join(' ');
  await server.open('file:///long.txt', 'plaintext', text);
  assert.equal(await server.stop(), 0);
});

test('the server ends when its client is gone', async () => {
  const server = await ServerProcess.start();
  const exited = once(server.child, 'exit');
  server.child.stdin?.end();
  await exited;
});

test('a model folder that does not exist leaves a running server that says so', async () => {
  const server = await ServerProcess.start({ model: { name: '/no/such/model' } }, 'missing');
  assert.equal(await server.stop(), 0);
});

test('who asks before the model is ready gets sentences once it is', async () => {
  const server = await ServerProcess.launch();
  await server.open('file:///a.txt', 'plaintext', 'The old man lived by the sea.');
  assert.ok((await server.complete('file:///a.txt', 0, 29)).length > 0);
  assert.equal(await server.stop(), 0);
});

test('who asks while there is no model gets nothing, and no error', async () => {
  const server = await ServerProcess.launch({ model: { name: '/no/such/model' } });
  await server.open('file:///a.txt', 'plaintext', 'The old man lived by the sea.');
  assert.deepEqual(await server.complete('file:///a.txt', 0, 29), []);
  assert.equal(await server.stop(), 0);
});

test('unusable settings fall back to defaults', async () => {
  const server = await ServerProcess.start({ completion: { candidates: 'many' } });
  await server.open('file:///a.txt', 'plaintext', 'The old man lived by the sea.');
  assert.ok((await server.complete('file:///a.txt', 0, 29)).length > 0);
  assert.equal(await server.stop(), 0);
});

test('a model that is not prepared yet is prepared first, with progress', async () => {
  const folder = unpreparedCopy();
  try {
    const server = await ServerProcess.start({}, 'ready', join(folder, 'dist', 'server.js'));
    const fractions = server.statuses.flatMap((status) =>
      status.state === 'preparing' ? [status.fraction] : [],
    );
    assert.ok(fractions.length > 1);
    assert.deepEqual(
      fractions,
      fractions.toSorted((a, b) => a - b),
    );
    assert.ok(server.progress.some((kind) => kind === 'begin'));
    assert.equal(server.progress.at(-1), 'end');
    assert.equal(await server.stop(), 0);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

/** The product as a checkout has it before the model was compiled. */
function unpreparedCopy(): string {
  const folder = mkdtempSync(join(tmpdir(), 'thoughtline-unprepared-'));
  mkdirSync(join(folder, 'dist'));
  for (const name of ['server.js', 'inferenceWorker.js', 'compileWorker.js']) {
    copyFileSync(join('dist', name), join(folder, 'dist', name));
  }
  for (const name of ['models', 'node_modules']) {
    symlinkSync(resolve(name), join(folder, name), 'junction');
  }
  return folder;
}
