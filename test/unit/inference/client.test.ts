import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { build } from 'esbuild';
import { InferenceClient } from '../../../server/inference/client.ts';
import type { SamplingOptions } from '../../../server/inference/inference.ts';

/** Beside the test bundles, which are removed after the run. */
const script = join(__dirname, 'fakeInferenceWorker.js');

before(async () => {
  await build({
    entryPoints: ['test/support/fakeInferenceWorker.ts'],
    outfile: script,
    bundle: true,
    platform: 'node',
    format: 'cjs',
  });
});

const clients: InferenceClient[] = [];
after(async () => {
  for (const client of clients) await client.dispose();
});

async function loadedClient(): Promise<InferenceClient> {
  const client = new InferenceClient(script);
  clients.push(client);
  await client.load('tiny', {});
  return client;
}

const sentences = (count: number, text = 'word') => ({
  sentences: new Array<string>(count).fill(text),
  lang: 'eng_Latn',
});

const sampling = (steps: number, count = 1): SamplingOptions => ({
  lcm: 'base',
  count,
  seed: steps,
  inferenceTimesteps: 1,
  guidanceScale: 1,
  guidanceRescale: 0,
  initialNoiseScale: 1,
  ddimEta: 0,
});

/** More steps than a test could wait for. */
const endless = sampling(Number.MAX_SAFE_INTEGER);

test('a model is loaded and answers', async () => {
  const client = new InferenceClient(script);
  clients.push(client);
  const { loadMs, ...model } = await client.load('tiny', {});
  assert.ok(loadMs >= 0);
  assert.deepEqual(model, {
    name: 'tiny',
    embeddingDim: 2,
    langs: ['eng_Latn'],
    defaultLang: 'eng_Latn',
    conceptModels: ['base'],
    hasEntropies: true,
    generations: {},
    samplings: {},
    confidences: {},
    normalizers: {},
    directions: {},
    device: 'cpu',
    deviceNote: null,
  });
  assert.deepEqual(await client.encode(sentences(2)), [
    Float32Array.of(4, 0),
    Float32Array.of(4, 0),
  ]);
  assert.deepEqual(await client.entropies(['a', 'bc']), [Float32Array.of(1), Float32Array.of(2)]);
  assert.deepEqual(await client.surprisals(['abc']), [Float32Array.of(3)]);
  const context = [Float32Array.of(1, 0), Float32Array.of(2, 0)];
  const predicted = await client.predict({ context, options: sampling(1, 2) });
  assert.deepEqual(predicted, [Float32Array.of(0, 3), Float32Array.of(1, 3)]);
  const embeddings = [Float32Array.of(7, 0)];
  const decoded = await client.decode({ embeddings, lang: 'eng_Latn', beamSize: 1 });
  assert.deepEqual(decoded, [{ text: '7', score: -1 }]);
});

test('the caller keeps the embeddings that it gave', async () => {
  const client = await loadedClient();
  const whole = Float32Array.of(1, 2, 3, 4);
  const context = [whole.subarray(0, 2), whole.subarray(2)];
  await client.predict({ context, options: sampling(0) });
  assert.deepEqual(whole, Float32Array.of(1, 2, 3, 4));
});

test('errors cross with their code and message', async () => {
  const client = await loadedClient();
  await assert.rejects(client.decode({ embeddings: [], lang: 'none', beamSize: 1 }), {
    name: 'InvalidRequestError',
    code: 'invalidRequest',
    message: 'language none: expected a known one',
  });
  await assert.rejects(client.load('heavy', {}), { name: 'MemoryError', code: 'notEnoughMemory' });
});

test('requests before a model is loaded are refused', async () => {
  const client = new InferenceClient(script);
  clients.push(client);
  await assert.rejects(client.encode(sentences(1)), { code: 'invalidRequest' });
});

test('a cancelled request rejects, and the next one works', async () => {
  const client = await loadedClient();
  const controller = new AbortController();
  const running = client.predict({ context: [], options: endless }, controller.signal);
  const waiting = client.predict({ context: [], options: endless }, controller.signal);
  const next = client.encode(sentences(1));
  controller.abort();
  await Promise.all([
    assert.rejects(running, { name: 'AbortError' }),
    assert.rejects(waiting, { name: 'AbortError' }),
  ]);
  assert.deepEqual(await next, [Float32Array.of(4, 0)]);
});

test('a request whose signal is aborted already is not sent', async () => {
  const client = await loadedClient();
  await assert.rejects(client.encode(sentences(1), AbortSignal.abort()), { name: 'AbortError' });
});

test('a prediction goes before the rest of a long encoding', async () => {
  const client = await loadedClient();
  const encoding = client.encode(sentences(400));
  await client.predict({ context: [], options: sampling(0) });
  const embeddings = await encoding;
  assert.equal(embeddings[399]?.[1], 1);
});

test('a new model ends the requests for the one before', async () => {
  const client = await loadedClient();
  const running = client.predict({ context: [], options: endless });
  const encoding = client.encode(sentences(10));
  const loading = client.load('other', {});
  await Promise.all([
    assert.rejects(running, { name: 'AbortError' }),
    assert.rejects(encoding, { name: 'AbortError' }),
  ]);
  assert.equal((await loading).name, 'other');
});

test('a thread that breaks rejects what waits and what comes', async () => {
  const client = await loadedClient();
  const waiting = client.encode(sentences(100, 'crash'));
  const behind = client.predict({ context: [], options: endless });
  const failure = { code: 'inferenceFailed', message: /^inference thread: / };
  await Promise.all([assert.rejects(waiting, failure), assert.rejects(behind, failure)]);
  await assert.rejects(client.encode(sentences(1)), failure);
  await client.dispose();
});

test('a script that cannot be started rejects requests', async () => {
  const client = new InferenceClient(join(__dirname, 'missing.js'));
  clients.push(client);
  await assert.rejects(client.load('tiny', {}), { code: 'inferenceFailed' });
});

test('disposing ends the running request and waits for the thread', async () => {
  const client = await loadedClient();
  const running = client.predict({ context: [], options: endless });
  const refused = assert.rejects(running, { code: 'inferenceFailed' });
  await client.dispose();
  await client.dispose();
  await refused;
  await assert.rejects(client.encode(sentences(1)), { code: 'inferenceFailed' });
});
