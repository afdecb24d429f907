import assert from 'node:assert/strict';
import test from 'node:test';
import { CheckpointUnsupportedError, WeightMismatchError } from '../../../../server/base/errors.ts';
import { buildBaseLcm } from '../../../../server/compiler/models/baseLcm.ts';
import type { BaseLcmConfig } from '../../../../server/model/config.ts';
import { type Precision, precisions } from '../../../../server/model/manifest.ts';
import {
  basePrediction0,
  basePrediction3,
  normalizedConcept0,
} from '../../../golden/tinyModels.ts';
import { closedFormWeights } from '../../../support/closedForm.ts';
import { assertClose, floats, openGraph, type TestTensor } from '../../../support/graphSession.ts';
import { normalizedConcepts } from '../../../support/tinyConcepts.ts';
import { tinyBaseLcm, toyBaseLcm } from '../../../support/tinyModels.ts';
import { baseLcmShapes } from '../../../support/tinyShapes.ts';

function emptyPast(count: number): TestTensor {
  return floats([2, 2, count, 4, 0, 8], []);
}

async function openLcm(config: BaseLcmConfig, precision: Precision = 'fp32') {
  const weights = closedFormWeights(baseLcmShapes(config));
  const run = await openGraph(buildBaseLcm(config, weights, { precision }).lcm);
  return async (concepts: TestTensor, past = emptyPast(concepts.shape[0] ?? 0)) => {
    const results = await run({ sentence_embedding: concepts, past_key_values: past });
    const result = (name: string) => results[name] ?? assert.fail(name);
    return { next: result('next_embedding'), present: result('present_key_values') };
  };
}

/** Concepts `start` to `end` of the golden document. */
function document(start: number, end: number): TestTensor {
  return floats([1, end - start, 16], normalizedConcepts.slice(start * 16, end * 16));
}

test('the concepts are normalised as in the reference', () => {
  assertClose(normalizedConcepts.slice(0, 16), normalizedConcept0, 2e-5);
});

test('the predictions are those of the reference', async () => {
  const predict = await openLcm(tinyBaseLcm);
  const { next, present } = await predict(document(0, 4));
  assert.deepEqual(next.shape, [1, 4, 16]);
  assert.deepEqual(present.shape, [2, 2, 1, 4, 4, 8]);
  assertClose(next.data.slice(0, 16), basePrediction0, 2e-5);
  assertClose(next.data.slice(48), basePrediction3, 2e-5);
});

for (const [name, config] of Object.entries({ rotary: tinyBaseLcm, learned: toyBaseLcm })) {
  for (const precision of precisions) {
    test(`${name} positions, ${precision}: cached is uncached`, async () => {
      const predict = await openLcm(config, precision);
      const whole = await predict(document(0, 4));
      let { next, present } = await predict(document(0, 2));
      const found = [...next.data];
      for (const position of [2, 3]) {
        ({ next, present } = await predict(document(position, position + 1), present));
        found.push(...next.data);
      }
      assertClose(found, whole.next.data, 1e-5);
      assertClose(present.data, whole.present.data, 1e-5);
    });
  }

  test(`${name} positions: a batch is its documents one by one`, async () => {
    const predict = await openLcm(config);
    const first = document(0, 2);
    const second = document(2, 4);
    const together = await predict(floats([2, 2, 16], [...first.data, ...second.data]));
    const alone = [await predict(first), await predict(second)];
    assertClose(
      together.next.data,
      alone.flatMap(({ next }) => [...next.data]),
      1e-5,
    );
  });
}

test('int8 is close to fp32', async () => {
  const exact = await (await openLcm(tinyBaseLcm))(document(0, 4));
  const quantized = await (await openLcm(tinyBaseLcm, 'int8'))(document(0, 4));
  assertClose(quantized.next.data, exact.next.data, 0.1);
});

test('a checkpoint that does not fit is named', () => {
  const shapes = baseLcmShapes(tinyBaseLcm);
  const build =
    (brokenShapes: Record<string, readonly number[]>, config = tinyBaseLcm) =>
    () =>
      buildBaseLcm(config, closedFormWeights(brokenShapes), { precision: 'fp32' });
  const isMismatch = (message: RegExp) => (error: unknown) =>
    error instanceof WeightMismatchError && message.test(error.message);
  const { 'postnet.fc.bias': _, ...rest } = shapes;
  assert.throws(build(rest), isMismatch(/postnet\.fc\.bias: expected \[16\], found no such key/));
  assert.throws(
    build({ ...shapes, 'lcm.layers.0.ffn.gate_proj.weight': [128, 32] }),
    isMismatch(/gate_proj\.weight: expected \[256, 32\], found \[128, 32\]/),
  );
  assert.throws(build({ ...shapes, extra: [1] }), isMismatch(/found 1 others: extra/));
  assert.throws(
    build(shapes, { ...tinyBaseLcm, sonarNormalizerName: null }),
    isMismatch(/found 2 others: frontend\.sonar_normalizer\.center/),
  );
});

const unsupported: Partial<BaseLcmConfig>[] = [
  { modelOutputDim: 8 },
  { frontend: { ...tinyBaseLcm.frontend, weightNormalization: true } },
  { postnet: { ...tinyBaseLcm.postnet, activationName: 'tanh' } },
  { lcm: { ...tinyBaseLcm.lcm, normOrderStyle: 'post' } },
  { lcm: { ...tinyBaseLcm.lcm, enableQkLayernorm: true } },
  { lcm: { ...tinyBaseLcm.lcm, scaleResidual: 0.5 } },
  { lcm: { ...tinyBaseLcm.lcm, posEmbeddingStyle: 'sine' } },
  { lcm: { ...tinyBaseLcm.lcm, useSwiglu: false, ffnInnerActivationName: 'gelu' } },
  { lcm: { ...tinyBaseLcm.lcm, numAttnHeads: 5 } },
];
test('what we do not build is refused', () => {
  const weights = closedFormWeights(baseLcmShapes(tinyBaseLcm));
  for (const change of unsupported) {
    const build = () => buildBaseLcm({ ...tinyBaseLcm, ...change }, weights, { precision: 'fp32' });
    assert.throws(build, CheckpointUnsupportedError);
  }
});
