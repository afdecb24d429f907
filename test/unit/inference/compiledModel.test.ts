import assert from 'node:assert/strict';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { build } from 'esbuild';
import { compileModel } from '../../../server/compiler/compile.ts';
import { InferenceClient } from '../../../server/inference/client.ts';
import { CompiledModel } from '../../../server/inference/compiledModel.ts';
import type { ChooseDevice } from '../../../server/inference/deviceChooser.ts';
import { cpuDevice } from '../../../server/inference/devices.ts';
import { tryDevice } from '../../../server/inference/deviceTrial.ts';
import type { LoadOptions, SamplingOptions } from '../../../server/inference/inference.ts';
import { lcmGeneration, sonarLlmGeneration } from '../../../server/model/parseGeneration.ts';
import { noSampling } from '../../../server/model/parseSampling.ts';
import { norm } from '../../../server/tensor/vector.ts';
import { tinyConfidence, tinyConfig, writeTinySources } from '../../support/tinySources.ts';

const onCpu: ChooseDevice = async () => ({ device: cpuDevice, note: null });
const load = (from: string, options: LoadOptions = {}, signal?: AbortSignal) =>
  CompiledModel.load(from, options, onCpu, signal);

const root = mkdtempSync(join(tmpdir(), 'thoughtline-model-'));
const folder = join(root, 'model');
/** Beside the test bundles, where onnxruntime-node is found. */
const workerScript = join(__dirname, 'inferenceWorker.js');

let model: CompiledModel;
before(async () => {
  const sources = join(root, 'sources');
  mkdirSync(sources);
  await compileModel({ ...writeTinySources(sources), precision: 'int8', outDir: folder });
  model = await load(folder);
  await build({
    entryPoints: ['server/inference/worker.ts'],
    outfile: workerScript,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    external: ['onnxruntime-node'],
  });
});
after(async () => {
  await model.dispose();
  rmSync(root, { recursive: true });
});

/** A folder with the tiny model's concept models, and nothing else. */
async function compileAddOn(name: string, { space = 'tiny', lcms = ['mine'] } = {}) {
  const outDir = join(root, name);
  const base = join(root, 'sources', 'base.safetensors');
  const config = join(root, `${name}.json`);
  const entries = lcms.map((lcm) => [lcm, tinyConfig.lcm.base]);
  writeFileSync(config, JSON.stringify({ lcm: Object.fromEntries(entries) }));
  const files = Object.fromEntries(lcms.map((lcm) => [lcm, base]));
  await compileModel({ lcms: files, config, space, precision: 'int8', outDir });
  return outDir;
}

const sampling: SamplingOptions = {
  lcm: 'two-tower',
  count: 3,
  seed: 1,
  inferenceTimesteps: 10,
  guidanceScale: 2,
  guidanceRescale: 0.7,
  initialNoiseScale: 0.6,
  ddimEta: 0,
};

const tinyLcms = Object.keys(tinyConfig.lcm);

const lang = 'eng_Latn';
const sentences = ['abc', '', 'the boats', 'a harbour of the sea', 'b'];

/** Encodes without pauses. */
async function encode(batch: readonly string[]): Promise<Float32Array[]> {
  const batches = model.encode({ sentences: batch, lang });
  for (;;) {
    const { done, value } = await batches.next();
    if (done) return value;
  }
}

test('a model tells what it is', () => {
  const { normalizers, directions, ...info } = model.info;
  assert.deepEqual(Object.keys(directions), ['shorter', 'longer']);
  for (const direction of Object.values(directions)) {
    assert.equal(direction.length, 32);
    assert.ok(Math.abs(norm(direction) - 1) < 1e-6);
  }
  assert.deepEqual(
    Object.entries(normalizers).map(([name, vectors]) => [name, vectors?.center.length]),
    tinyLcms.map((name) => [name, name === 'sonar-llm' ? undefined : 32]),
  );
  const { log_length: logLength, ...confidence } = tinyConfidence;
  assert.deepEqual(info, {
    name: 'tiny',
    embeddingDim: 32,
    langs: ['eng_Latn', 'fra_Latn'],
    defaultLang: 'eng_Latn',
    conceptModels: tinyLcms,
    hasEntropies: true,
    generations: {
      ...Object.fromEntries(tinyLcms.map((name) => [name, lcmGeneration])),
      'sonar-llm': { ...sonarLlmGeneration, beginText: 'Begin of text.' },
    },
    samplings: {
      ...Object.fromEntries(tinyLcms.map((name) => [name, noSampling])),
      'two-tower': { ...noSampling, inferenceTimesteps: 8 },
    },
    confidences: {
      ...Object.fromEntries(tinyLcms.map((name) => [name, null])),
      'two-tower': { ...confidence, logLength },
    },
    device: 'cpu',
    deviceNote: null,
  });
});

test('a model with a byte model knows the entropy of every byte', async () => {
  const batches = model.entropies(['ab', '']);
  for (;;) {
    const { done, value } = await batches.next();
    if (!done) continue;
    assert.deepEqual(
      value.map((entropies) => entropies.length),
      [3, 1],
    );
    assert.ok(value[0]?.every((entropy) => entropy > 0 && entropy < Math.log(260)));
    return;
  }
});

test('int8 sentences have the same embedding in a batch and alone', async () => {
  const together = await encode(sentences);
  for (const [i, sentence] of sentences.entries()) {
    const [alone] = await encode([sentence]);
    for (const [d, value] of (together[i] as Float32Array).entries()) {
      assert.ok(Math.abs(value - (alone?.[d] ?? 0)) < 1e-5); // float32, other order of sums
    }
  }
});

test('the thread answers as the model does, from sentences to sentences', async () => {
  const client = new InferenceClient(workerScript);
  const { loadMs, ...info } = await client.load(folder, {});
  assert.ok(loadMs > 0);
  assert.deepEqual(info, model.info);
  const context = await client.encode({ sentences, lang });
  assert.deepEqual(context, await encode(sentences));
  for (const lcm of tinyLcms) {
    const options = { ...sampling, lcm };
    const embeddings = await client.predict({ context, options });
    const signal = new AbortController().signal;
    assert.deepEqual(embeddings, await model.predict({ context, options }, signal));
    const request = { embeddings, lang, beamSize: 3, maxSeqLen: 8 };
    assert.deepEqual(await client.decode(request), await model.decode(request, signal));
  }
  await client.dispose();
});

test('a prediction in the thread is cancelled between its steps', async () => {
  const client = new InferenceClient(workerScript);
  await client.load(folder, {});
  const context = await client.encode({ sentences, lang });
  const controller = new AbortController();
  const options = { ...sampling, inferenceTimesteps: 100 };
  const many = Array.from({ length: 8 }, () =>
    client.predict({ context, options }, controller.signal),
  );
  setImmediate(() => controller.abort());
  const settled = await Promise.allSettled(many);
  assert.ok(settled.some(({ status }) => status === 'rejected'));
  assert.equal((await client.predict({ context, options: sampling })).length, 3);
  await client.dispose();
});

const zeros = new Float32Array(32);

/** Requests that no model can answer, and what the error says. */
const refused: readonly [string, () => Promise<unknown>, RegExp][] = [
  ['language', () => encodeIn('xyz_Latn'), /^language "xyz_Latn": expected/],
  ['no context', () => predict([], {}), /^context: expected at least one concept, found none$/],
  ['no candidate', () => predict([zeros], { count: 0 }), /^count: expected 1 to 64, found 0$/],
  ['too many', () => predict([zeros], { count: 65 }), /^count: expected 1 to 64, found 65$/],
  ['concept model', () => predict([zeros], { lcm: 'x' }), /^concept model: .*sonar-llm, found x$/],
  ['dimension', () => predict([new Float32Array(3)], {}), /^embedding 0: expected 32 numbers/],
  ['NaN', () => decode(zeros.map(() => Number.NaN)), /^embedding 0: expected finite numbers/],
];

const encodeIn = (unknown: string) => model.encode({ sentences, lang: unknown }).next();
const predict = (context: Float32Array[], change: Partial<SamplingOptions>) =>
  model.predict({ context, options: { ...sampling, ...change } });
const decode = (embedding: Float32Array) =>
  model.decode({ embeddings: [embedding], lang, beamSize: 1 });

test('a request that cannot be answered is refused with its reason', async () => {
  for (const [name, request, message] of refused) {
    await assert.rejects(request(), { code: 'invalidRequest', message }, name);
  }
});

/** Loads a copy of the folder that was damaged. */
async function checkBroken(
  damage: (copy: string) => void,
  expected: { code: string; message?: RegExp },
): Promise<void> {
  const copy = join(root, 'broken');
  cpSync(folder, copy, { recursive: true });
  damage(copy);
  await assert.rejects(load(copy), expected);
  rmSync(copy, { recursive: true });
}

test('a broken folder is refused with the name of the file', async () => {
  const corrupt = 'modelCorrupt';
  await checkBroken((copy) => rmSync(join(copy, 'manifest.json')), { code: 'modelMissing' });
  await checkBroken((copy) => writeFileSync(join(copy, 'manifest.json'), '{'), { code: corrupt });
  await checkBroken((copy) => truncateSync(join(copy, 'manifest.json'), 2_000_000), {
    code: corrupt,
    message: /manifest\.json: expected at most/,
  });
  await checkBroken((copy) => truncateSync(join(copy, 'encoder.bin'), 100), {
    code: corrupt,
    message: /encoder\.bin: expected \d+ bytes, found 100$/,
  });
  await checkBroken((copy) => rmSync(join(copy, 'encoder.onnx')), {
    code: corrupt,
    message: /encoder\.onnx/,
  });
});

test('a model for some languages writes them with their tokens only, and no other', async () => {
  const sources = join(root, 'two-scripts');
  mkdirSync(sources);
  const config = { ...tinyConfig, tokenizer: { langs: ['eng_Latn', 'rus_Cyrl'] } };
  const files = writeTinySources(sources, { config });
  const outDir = join(root, 'shortlist');
  const vocabularyLangs = ['rus_Cyrl'];
  const manifest = await compileModel({ ...files, precision: 'int8', vocabularyLangs, outDir });
  assert.ok(manifest.kind === 'model');

  const shortened = await load(outDir);
  assert.deepEqual(shortened.info.langs, ['eng_Latn', 'rus_Cyrl']);
  const embeddings = await encode(sentences);
  const request = { embeddings, beamSize: 3, maxSeqLen: 12 };
  const decoded = await shortened.decode({ ...request, lang: 'rus_Cyrl' });
  const whole = await model.decode({ ...request, lang: 'fra_Latn' });
  assert.doesNotMatch(decoded.map(({ text }) => text).join(''), /[a-z]/);
  assert.match(whole.map(({ text }) => text).join(''), /[a-z]/);
  await assert.rejects(shortened.decode({ ...request, lang: 'eng_Latn' }), {
    code: 'invalidRequest',
    message: /^language eng_Latn: expected one that the decoder was compiled for, rus_Cyrl, found/,
  });
  await shortened.dispose();

  const trial = await tryDevice(outDir, manifest, cpuDevice);
  assert.deepEqual([Math.round(trial.cosine * 1e5) / 1e5, trial.logProbError], [1, 0]);

  const shortlist = join(outDir, 'decoder.shortlist.bin');
  const ids = readFileSync(shortlist);
  for (const [damage, message] of [
    [ids.toReversed(), /decoder\.shortlist\.bin: expected a token from 0 to 39 at place 0/],
    [ids.subarray(4), /decoder\.shortlist\.bin: expected 56 bytes, found 52/],
    [ids.map((byte, i) => (i === 12 ? 4 : byte)), /\.bin: expected token 3 among 14/],
  ] as const) {
    writeFileSync(shortlist, damage);
    await assert.rejects(load(outDir), { code: 'modelCorrupt', message });
  }
});

test("the concept models of an add-on run beside the model's own", async () => {
  const addOns = [await compileAddOn('add-on'), await compileAddOn('more', { lcms: ['other'] })];
  const extended = await load(folder, { addOns });
  assert.deepEqual(extended.info.conceptModels, [...tinyLcms, 'mine', 'other']);
  const context = await encode(sentences);
  const request = (lcm: string) => ({ context, options: { ...sampling, lcm } });
  const own = await model.predict(request('base'));
  for (const lcm of ['base', 'mine', 'other']) {
    assert.deepEqual(await extended.predict(request(lcm)), own, lcm);
  }
  await extended.dispose();
});

test('an add-on of another space, or with a name twice, is refused naming both', async () => {
  const refuses = (addOns: string[], code: string, message: RegExp) =>
    assert.rejects(load(folder, { addOns }), { code, message });
  const corrupt = 'modelCorrupt';
  const elsewhere = await compileAddOn('elsewhere', { space: 'sonar' });
  await refuses([elsewhere], corrupt, /elsewhere: space: expected tiny as in .*model, found sonar/);
  const manifestFile = join(elsewhere, 'manifest.json');
  const manifest = JSON.parse(readFileSync(manifestFile, 'utf8'));
  writeFileSync(manifestFile, JSON.stringify({ ...manifest, space: 'tiny', embeddingDim: 1024 }));
  await refuses([elsewhere], corrupt, /elsewhere: embeddingDim: expected 32 as in .*found 1024/);
  const twice = await compileAddOn('twice', { lcms: ['base'] });
  await refuses([twice], corrupt, /twice: .* in .*model, found base in both/);
  await refuses([folder], corrupt, /expected concept models only, found a model/);
  await refuses([join(root, 'nowhere')], 'modelMissing', /nowhere/);
  await assert.rejects(load(twice), {
    code: corrupt,
    message: /twice: expected a model, found concept models only/,
  });
});

test('a folder that is not there is a missing model', async () => {
  await assert.rejects(load(join(root, 'nowhere')), { code: 'modelMissing' });
});

test('loading stops when it is aborted', async () => {
  await assert.rejects(load(folder, {}, AbortSignal.abort()), { name: 'AbortError' });
});
