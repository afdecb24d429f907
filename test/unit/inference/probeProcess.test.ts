import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type ProbeAnswer, processProbe } from '../../../server/inference/probeProcess.ts';

const root = mkdtempSync(join(tmpdir(), 'thoughtline-probe-'));
after(() => rmSync(root, { recursive: true }));
let scripts = 0;

/** Writes the script of a process that stands for a device. */
function device(script: string): string {
  const path = join(root, `device${scripts++}.js`);
  writeFileSync(path, script);
  return path;
}

/** Compares what the probe of a device answers. */
async function check(script: string, expected: ProbeAnswer, timeoutMs?: number): Promise<void> {
  assert.deepEqual(await processProbe(device(script), timeoutMs)('webgpu', 'folder'), expected);
}

const trial = { cosine: 1, logProbError: 0.01, deviceMs: 5, cpuMs: 10 };
const unreadable = { failure: 'the trial gave an answer that cannot be read' };

test('a trial is read, after whatever a driver prints', async () => {
  const line = JSON.stringify({ trial });
  await check(`console.log('${line}')`, { trial });
  await check(`console.log('loading {'); console.log('${line}')`, { trial });
});

test('the process is told the folder and the device', async () => {
  await check("console.log(JSON.stringify({ error: process.argv.slice(2).join(' ') }))", {
    failure: 'folder webgpu',
  });
});

test('what happens after the answer does not matter', async () => {
  const line = JSON.stringify({ trial });
  await check(`console.log('${line}'); process.abort()`, { trial });
  await check(`console.log('${line}'); setInterval(() => {}, 1000)`, { trial });
});

test('a crash is told', async () => {
  await check('process.kill(process.pid, "SIGSEGV")', {
    failure: 'the trial crashed (SIGSEGV)',
  });
  await check('process.exit(3)', { failure: 'the trial crashed (exit status 3)' });
});

test('a hang ends', async () => {
  await check('setInterval(() => {}, 1000)', { failure: 'no answer within 0 s' }, 200);
});

test('garbage is told', async () => {
  await check("console.log('{ }')", unreadable);
  await check("console.log('out of paper')", unreadable);
  await check("console.log('[1')", unreadable);
  await check('console.log(\'{"trial":{"cosine":"1"}}\')', unreadable);
  await check('console.log(\'{"trial":null}\')', unreadable);
  await check("console.log('x'.repeat(1e6)); console.log('{}')", unreadable);
});

test('numbers that JSON cannot hold are NaN', async () => {
  const wrong = JSON.stringify({ trial: { ...trial, cosine: Number.NaN } });
  await check(`console.log('${wrong}')`, { trial: { ...trial, cosine: Number.NaN } });
});

test('what the loader of libraries says on the side is the reason', async () => {
  const script = `
    console.error('Failed to load with error: libcudart.so.12: cannot open shared object file: No');
    console.log('{"error":"Failed to load shared library"}');`;
  await check(script, { failure: 'libcudart.so.12 was not found' });
});

test('a probe that is cancelled ends its process', async () => {
  const path = join(root, 'started');
  const script = device(`
    require('fs').writeFileSync(${JSON.stringify(path)}, '');
    setInterval(() => {}, 1000);`);
  const controller = new AbortController();
  const answer = processProbe(script)('webgpu', 'folder', controller.signal);
  controller.abort();
  await assert.rejects(answer, { name: 'AbortError' });
  await assert.rejects(processProbe(script)('webgpu', 'folder', AbortSignal.abort()), {
    name: 'AbortError',
  });
});

test('a script that does not exist is a crash', async () => {
  const answer = await processProbe(join(root, 'nowhere.js'))('cuda', 'folder');
  assert.deepEqual(answer, { failure: 'the trial crashed (exit status 1)' });
});
