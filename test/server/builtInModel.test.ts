import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { InferenceClient } from '../../server/inference/client.ts';
import type { SamplingOptions } from '../../server/inference/inference.ts';
import { cosine } from '../../server/tensor/vector.ts';
import { runCli } from '../support/runCli.ts';

/*
 * The built-in model through the whole path, checkpoint → compiler → ONNX → inference, beside what
 * PyTorch computed from the same weights when they were exported (models/builtin/golden.json).
 */

interface Golden {
  sentences: { text: string; embedding: number[]; greedy_text: string }[];
  translations: { lang: string; text: string; embedding: number[] }[];
  context: string[];
  sampling: Record<
    'inference_timesteps' | 'guidance_scale' | 'guidance_rescale' | 'initial_noise_scale',
    number
  >;
  predictions: Record<string, number[]>;
}

const golden: Golden = JSON.parse(readFileSync('models/builtin/golden.json', 'utf8'));
const texts = golden.sentences.map(({ text }) => text);
const lang = 'eng_Latn';
const sampling: Omit<SamplingOptions, 'lcm'> = {
  count: 1,
  seed: 1,
  inferenceTimesteps: golden.sampling.inference_timesteps,
  guidanceScale: golden.sampling.guidance_scale,
  guidanceRescale: golden.sampling.guidance_rescale,
  initialNoiseScale: golden.sampling.initial_noise_scale,
  ddimEta: 0,
};

const folder = mkdtempSync(join(tmpdir(), 'thoughtline-golden-'));
const clients = new Map<string, InferenceClient>();

before(async () => {
  for (const [name, model] of [
    ['fp32', compile('fp32')],
    ['english', compile('english', ['--vocabulary-langs', lang])],
    ['shipped', join('dist', 'models', 'thoughtline-1')],
  ] as const) {
    const client = new InferenceClient(resolve('dist', 'inferenceWorker.js'));
    clients.set(name, client);
    await client.load(model, {});
  }
});

after(async () => {
  for (const client of clients.values()) await client.dispose();
  rmSync(folder, { recursive: true, force: true });
});

/** Compiles the checkpoints in fp32. @returns the folder */
function compile(name: string, options: readonly string[] = []): string {
  const out = join(folder, name);
  const source = (file: string) => join('models', 'builtin', file);
  const { status, stderr } = runCli([
    ...['compile', '--precision', 'fp32', '--out', out, '--config', source('config.json')],
    ...['--encoder', source('encoder.safetensors'), '--decoder', source('decoder.safetensors')],
    ...Object.keys(golden.predictions).flatMap((name) => [
      '--lcm',
      `${name}=${source(`${name}.safetensors`)}`,
    ]),
    ...['--tokenizer', source('tokenizer.model')],
    ...options,
  ]);
  assert.equal(status, 0, stderr);
  return out;
}

function clientOf(precision: string): InferenceClient {
  const client = clients.get(precision);
  assert.ok(client);
  return client;
}

/** Concept models ship in int4, and guidance multiplies what ten steps of denoising add up. */
const leastShippedPrediction = 0.95;

/** int8 has one scale per row of 256 steps; three layers leave the direction within 1 %. */
for (const [precision, least] of [
  ['fp32', 0.999999],
  ['shipped', 0.99],
] as const) {
  test(`embeddings in ${precision} are PyTorch's`, async () => {
    const embeddings = await clientOf(precision).encode({ sentences: texts, lang });
    for (const [i, embedding] of embeddings.entries()) {
      const expected = Float32Array.from(golden.sentences[i]?.embedding ?? []);
      assert.ok(cosine(embedding, expected) > least, `${texts[i]}`);
    }
  });

  test(`predictions in ${precision} are PyTorch's`, async () => {
    const context = await clientOf(precision).encode({ sentences: golden.context, lang });
    for (const [lcm, expected] of Object.entries(golden.predictions)) {
      // One unit that rounding decides otherwise, and all that follow it are other ones.
      if (lcm === 'quant' && precision === 'shipped') continue;
      const [prediction] = await clientOf(precision).predict({
        context,
        options: { ...sampling, lcm },
      });
      assert.ok(prediction);
      const near = precision === 'fp32' ? least : leastShippedPrediction;
      assert.ok(cosine(prediction, Float32Array.from(expected)) > near, lcm);
    }
  });
}

test("embeddings of other languages in fp32 are PyTorch's", async () => {
  for (const { lang, text, embedding } of golden.translations) {
    const [found] = await clientOf('fp32').encode({ sentences: [text], lang });
    assert.ok(found);
    assert.ok(cosine(found, Float32Array.from(embedding)) > 0.999999, lang);
  }
});

for (const [name, what] of [
  ['fp32', 'fp32'],
  ['english', 'fp32 with a shortlist'],
] as const) {
  test(`greedy decoding in ${what} writes what PyTorch wrote`, async () => {
    const embeddings = golden.sentences.map(({ embedding }) => Float32Array.from(embedding));
    const decoded = await clientOf(name).decode({ embeddings, lang, beamSize: 1, maxSeqLen: 64 });
    assert.deepEqual(
      decoded.map(({ text }) => text),
      golden.sentences.map(({ greedy_text }) => greedy_text),
    );
  });
}
