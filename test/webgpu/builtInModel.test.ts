import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { InferenceClient } from '../../server/inference/client.ts';
import { CompiledModel } from '../../server/inference/compiledModel.ts';
import { type Device, devices } from '../../server/inference/devices.ts';
import type { SamplingOptions } from '../../server/inference/inference.ts';
import type { Precision } from '../../server/model/manifest.ts';
import { cosine } from '../../server/tensor/vector.ts';
import { runCli } from '../support/runCli.ts';
import { writeTinySources } from '../support/tinySources.ts';

/*
 * Models on WebGPU, through Vulkan, beside the same on the processor. SwiftShader, the driver, is a
 * graphics card in software: right, and about a thousand times slower than the processor itself.
 */

const golden: { sentences: { embedding: number[] }[] } = JSON.parse(
  readFileSync('models/builtin/golden.json', 'utf8'),
);
const lang = 'eng_Latn';
const sentences = ['The boat came back.', 'It was late, and the rain had stopped.'];
const sampling: SamplingOptions = {
  lcm: 'two-tower',
  count: 2,
  seed: 1,
  inferenceTimesteps: 2,
  guidanceScale: 3,
  guidanceRescale: 0.7,
  initialNoiseScale: 0.6,
  ddimEta: 0,
};

const root = mkdtempSync(join(tmpdir(), 'thoughtline-webgpu-'));
const loaded = new Map<string, CompiledModel>();
before(() => {
  for (const precision of ['fp32', 'int4'] as const) compileBuiltIn(precision);
  for (const precision of ['fp32', 'fp16', 'int8'] as const) compileTiny(precision);
});
after(async () => {
  for (const model of loaded.values()) await model.dispose();
  rmSync(root, { recursive: true, force: true });
});

function compile(args: readonly string[]): void {
  const { status, stderr } = runCli(['compile', ...args]);
  assert.equal(status, 0, stderr);
}

function compileBuiltIn(precision: Precision): void {
  const source = (name: string) => join('models', 'builtin', name);
  compile([
    ...['--precision', precision, '--out', join(root, precision)],
    ...['--encoder', source('encoder.safetensors'), '--decoder', source('decoder.safetensors')],
    ...['--lcm', `base=${source('base.safetensors')}`, '--tokenizer', source('tokenizer.model')],
    ...['--lcm', `two-tower=${source('two-tower.safetensors')}`],
    ...['--config', source('config.json')],
  ]);
}

function compileTiny(precision: Precision): void {
  const folder = join(root, `tiny-sources-${precision}`);
  mkdirSync(folder);
  const sources = writeTinySources(folder);
  compile([
    ...['--precision', precision, '--out', join(root, `tiny-${precision}`)],
    ...['--encoder', sources.encoder ?? '', '--decoder', sources.decoder ?? ''],
    ...['--tokenizer', sources.tokenizer ?? '', '--config', sources.config ?? ''],
    ...Object.entries(sources.lcms).flatMap(([name, file]) => ['--lcm', `${name}=${file}`]),
  ]);
}

/** Loads the built-in model on a device, once. */
async function open(precision: Precision, device: Device): Promise<CompiledModel> {
  const key = `${precision} ${device.name}`;
  const known = loaded.get(key);
  if (known !== undefined) return known;
  const folder = join(root, precision);
  const model = await CompiledModel.load(folder, {}, async () => ({ device, note: null }));
  assert.deepEqual([model.info.device, model.info.deviceNote], [device.name, null]);
  loaded.set(key, model);
  return model;
}

async function encode(model: CompiledModel): Promise<Float32Array[]> {
  const batches = model.encode({ sentences, lang });
  for (;;) {
    const { done, value } = await batches.next();
    if (done) return value;
  }
}

/** float32, other order of sums. */
const leastExact = 0.999999;
/** On the processor, products of four bits round the activations to eight. */
const leastInt4 = 0.999;

function checkSame(
  found: readonly Float32Array[],
  expected: readonly Float32Array[],
  least: number,
) {
  assert.equal(found.length, expected.length);
  for (const [i, embedding] of found.entries()) {
    const similarity = cosine(embedding, expected[i] as Float32Array);
    assert.ok(similarity > least, `${i}: cosine ${similarity}`);
  }
}

test('the built-in model reads, thinks and writes as on the processor', async () => {
  const cpu = await open('fp32', devices.cpu);
  const gpu = await open('fp32', devices.webgpu);
  const context = await encode(cpu);
  checkSame(await encode(gpu), context, leastExact);
  await checkWriting(gpu, cpu);
  // The second context goes on where the first stops: its keys and values are on the device.
  for (const lcm of ['base', 'two-tower']) {
    for (const length of [1, 2]) {
      const request = { context: context.slice(0, length), options: { ...sampling, lcm } };
      checkSame(await gpu.predict(request), await cpu.predict(request), leastExact);
    }
  }
});

test('the built-in model in int4 reads and writes as on the processor', async () => {
  const cpu = await open('int4', devices.cpu);
  const gpu = await open('int4', devices.webgpu);
  checkSame(await encode(gpu), await encode(cpu), leastInt4);
  await checkWriting(gpu, cpu);
});

test('beams change places in a cache that stays on the device', async () => {
  const cpu = await open('fp32', devices.cpu);
  const gpu = await open('fp32', devices.webgpu);
  const embeddings = golden.sentences
    .slice(0, 2)
    .map(({ embedding }) => Float32Array.from(embedding));
  const writing = { embeddings, lang, beamSize: 3, maxSeqLen: 6 };
  const found = await gpu.decode(writing);
  for (const [i, { text, score }] of (await cpu.decode(writing)).entries()) {
    assert.equal(found[i]?.text, text);
    assert.ok(Math.abs((found[i]?.score ?? 0) - score) < 1e-4); // float32, other order of sums
  }
});

async function checkWriting(gpu: CompiledModel, cpu: CompiledModel): Promise<void> {
  const embeddings = [Float32Array.from(golden.sentences[0]?.embedding ?? [])];
  const writing = { embeddings, lang, beamSize: 1, maxSeqLen: 8 };
  const [written] = await gpu.decode(writing);
  assert.equal(written?.text, (await cpu.decode(writing))[0]?.text);
}

/** Loads a tiny model in the inference thread, as the product does. */
async function loadTiny(precision: Precision, device: 'webgpu' | 'auto') {
  const client = new InferenceClient(resolve('dist', 'inferenceWorker.js'));
  try {
    const model = await client.load(join(root, `tiny-${precision}`), { device });
    return [model.device, model.deviceNote];
  } finally {
    await client.dispose();
  }
}

test('a device that is named is tried and used, however slow', async () => {
  assert.deepEqual(await loadTiny('fp32', 'webgpu'), ['webgpu', null]);
});

test('auto tries it, and stays with the processor, which is faster', async () => {
  assert.deepEqual(await loadTiny('fp32', 'auto'), ['cpu', null]);
});

test('what an adapter or a device does not compute in is told', async () => {
  assert.deepEqual(await loadTiny('fp16', 'webgpu'), [
    'cpu',
    'WebGPU: this graphics adapter does not compute in fp16',
  ]);
  assert.deepEqual(await loadTiny('int8', 'webgpu'), [
    'cpu',
    'WebGPU: runs models in fp32, fp16, int4; encoder of tiny is int8',
  ]);
});
