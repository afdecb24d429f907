import assert from 'node:assert/strict';
import test from 'node:test';
import { CheckpointUnsupportedError, WeightMismatchError } from '../../../../server/base/errors.ts';
import { buildSonarEncoder } from '../../../../server/compiler/models/sonarEncoder.ts';
import { serialize } from '../../../../server/compiler/onnx/serialize.ts';
import type { SonarEncoderConfig } from '../../../../server/model/config.ts';
import { type Precision, precisions } from '../../../../server/model/manifest.ts';
import {
  encoderIds,
  encoderMask,
  sentenceEmbedding0,
  sentenceEmbedding1,
} from '../../../golden/tinyModels.ts';
import { closedFormWeights } from '../../../support/closedForm.ts';
import { assertClose, integers, openGraph, rowOf } from '../../../support/graphSession.ts';
import { tinySonarEncoder } from '../../../support/tinyModels.ts';
import { sonarEncoderShapes } from '../../../support/tinyShapes.ts';

const shapes = sonarEncoderShapes(tinySonarEncoder);

async function openEncoder(precision: Precision = 'fp32', config = tinySonarEncoder) {
  const weights = closedFormWeights(sonarEncoderShapes(config));
  const run = await openGraph(buildSonarEncoder(config, weights, { precision }));
  return async (ids: readonly number[], mask: readonly number[], count = 1) => {
    const shape = [count, ids.length / count];
    const inputs = { input_ids: integers(shape, ids), attention_mask: integers(shape, mask) };
    const { sentence_embedding: embeddings } = await run(inputs);
    assert.deepEqual(embeddings?.shape, [count, 32]);
    return Array.from({ length: count }, (_, index) => rowOf(embeddings, index));
  };
}

test('the embeddings are those of the reference', async () => {
  const encode = await openEncoder();
  const [first = [], second = []] = await encode(encoderIds, encoderMask, 2);
  assertClose(first, sentenceEmbedding0, 2e-5);
  assertClose(second, sentenceEmbedding1, 2e-5);
});

for (const precision of precisions) {
  test(`${precision}: a padded sentence in a batch is the sentence alone`, async () => {
    const encode = await openEncoder(precision);
    const [, padded = []] = await encode(encoderIds, encoderMask, 2);
    const [alone = []] = await encode([34, 8, 3], [1, 1, 1]);
    assertClose(padded, alone, 1e-6);
  });
}

test('int8 is close to fp32', async () => {
  const [first = []] = await (await openEncoder('int8'))(encoderIds, encoderMask, 2);
  assert.ok(cosine(first, sentenceEmbedding0) > 0.999);
});

test('every key of the checkpoint is used, and every graph weight finite', () => {
  const graph = buildSonarEncoder(tinySonarEncoder, closedFormWeights(shapes), {
    precision: 'int8',
  });
  const { weights, weightsSizeBytes } = serialize(graph, 'weights.bin');
  assert.equal(Buffer.concat([...weights]).length, weightsSizeBytes);
});

const broken: Record<string, [Record<string, readonly number[]>, RegExp]> = {
  'a missing weight': [
    without('encoder.layers.1.ffn.output_proj.bias'),
    /encoder\.layers\.1\.ffn\.output_proj\.bias: expected \[32\], found no such key/,
  ],
  'a weight of another shape': [
    { ...shapes, 'encoder.layers.0.ffn.inner_proj.weight': [64, 16] },
    /encoder\.layers\.0\.ffn\.inner_proj\.weight: expected \[64, 32\], found \[64, 16\]/,
  ],
  'a layer too many': [
    { ...shapes, ...sonarEncoderShapes({ ...tinySonarEncoder, numEncoderLayers: 3 }) },
    /found 16 others: encoder\.layers\.2\./,
  ],
  'a vocabulary of another size': [
    { ...shapes, 'encoder_frontend.embed.weight': [41, 32] },
    /encoder_frontend\.embed\.weight: expected \[40, 32\], found \[41, 32\]/,
  ],
};
for (const [name, [brokenShapes, message]] of Object.entries(broken)) {
  test(`${name} is named`, () => {
    const build = () =>
      buildSonarEncoder(tinySonarEncoder, closedFormWeights(brokenShapes), { precision: 'fp32' });
    assert.throws(
      build,
      (error) => error instanceof WeightMismatchError && message.test(error.message),
    );
  });
}

const unsupported: Partial<SonarEncoderConfig>[] = [
  { pooling: 'attention' },
  { activationFn: 'GELU' },
  { learnedPos: true },
  { layernormEmbedding: true },
  { noTokenPositionalEmbeddings: true },
  { numEncoderAttnHeads: 5 },
];
for (const change of unsupported) {
  test(`${JSON.stringify(change)} is refused`, () => {
    const config = { ...tinySonarEncoder, ...change };
    const build = () => buildSonarEncoder(config, closedFormWeights(shapes), { precision: 'fp32' });
    assert.throws(build, CheckpointUnsupportedError);
  });
}

function without(name: string): Record<string, readonly number[]> {
  return Object.fromEntries(Object.entries(shapes).filter(([key]) => key !== name));
}

function cosine(a: readonly number[], b: readonly number[]): number {
  const dot = (x: readonly number[], y: readonly number[]) =>
    x.reduce((total, value, index) => total + value * (y[index] ?? 0), 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}
