import assert from 'node:assert/strict';
import { once } from 'node:events';
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
  const server = await ServerProcess.start({ model: { folder: '/no/such/model' } }, 'missing');
  assert.equal(await server.stop(), 0);
});

test('unusable settings fall back to defaults', async () => {
  const server = await ServerProcess.start({ completion: { candidates: 'many' } });
  await server.open('file:///a.txt', 'plaintext', 'The old man lived by the sea.');
  assert.ok((await server.complete('file:///a.txt', 0, 29)).length > 0);
  assert.equal(await server.stop(), 0);
});
