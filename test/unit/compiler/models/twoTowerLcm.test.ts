import assert from 'node:assert/strict';
import test from 'node:test';
import { CheckpointUnsupportedError, WeightMismatchError } from '../../../../server/base/errors.ts';
import { buildTwoTowerLcm } from '../../../../server/compiler/models/twoTowerLcm.ts';
import type { TwoTowerLcmConfig } from '../../../../server/model/config.ts';
import { type Precision, precisions } from '../../../../server/model/manifest.ts';
import { context3, denoised7, unconditional7 } from '../../../golden/tinyModels.ts';
import { closedFormVector, closedFormWeights } from '../../../support/closedForm.ts';
import {
  assertClose,
  floats,
  integers,
  openGraph,
  rowOf,
  type TestTensor,
} from '../../../support/graphSession.ts';
import { latents, normalizedConcepts } from '../../../support/tinyConcepts.ts';
import { tinyTwoTowerLcm, toyTwoTowerLcm } from '../../../support/tinyModels.ts';
import { twoTowerLcmShapes } from '../../../support/tinyShapes.ts';

interface Row {
  latents: ArrayLike<number>;
  timestep: number;
  isConditional: boolean;
}

async function openLcm(config: TwoTowerLcmConfig, precision: Precision = 'fp32') {
  const weights = closedFormWeights(twoTowerLcmShapes(config));
  const graphs = buildTwoTowerLcm(config, weights, { precision });
  const context = await openGraph(graphs.context);
  const crossAttention = await openGraph(graphs.crossAttention);
  const denoiser = await openGraph(graphs.denoiser);
  const { numLayers } = config.contextEncoder;
  return {
    /** Runs the context tower over concepts `start` to `end` of the golden document. */
    async encode(start: number, end: number, past = floats([numLayers, 2, 1, 4, 0, 8], [])) {
      const concepts = normalizedConcepts.slice(start * 16, end * 16);
      const results = await context({
        sentence_embedding: floats([1, end - start, 16], concepts),
        past_key_values: past,
      });
      const result = (name: string) => results[name] ?? assert.fail(name);
      return { hidden: result('encoder_hidden_states'), present: result('present_key_values') };
    },
    async attendTo(hidden: TestTensor) {
      const results = await crossAttention({ encoder_hidden_states: hidden });
      return results['cross_key_values'] ?? assert.fail();
    },
    async denoise(crossKeyValues: TestTensor, rows: readonly Row[]) {
      const count = rows.length;
      const results = await denoiser({
        latents: floats(
          [count, 16],
          rows.flatMap((row) => Array.from(row.latents)),
        ),
        timestep: integers(
          [count],
          rows.map(({ timestep }) => timestep),
        ),
        is_conditional: floats(
          [count],
          rows.map(({ isConditional }) => (isConditional ? 1 : 0)),
        ),
        cross_key_values: crossKeyValues,
      });
      const prediction = results['prediction'] ?? assert.fail();
      assert.deepEqual(prediction.shape, [count, 16]);
      return rows.map((_, index) => rowOf(prediction, index));
    },
  };
}

const goldenRow: Row = { latents, timestep: 7, isConditional: true };

test('the context is that of the reference', async () => {
  const { encode } = await openLcm(tinyTwoTowerLcm);
  const { hidden } = await encode(0, 4);
  assert.deepEqual(hidden.shape, [1, 4, 32]);
  assertClose(hidden.data.slice(96, 104), context3, 2e-5);
});

test('the predictions are those of the reference, with and without context', async () => {
  const { encode, attendTo, denoise } = await openLcm(tinyTwoTowerLcm);
  const keyValues = await attendTo((await encode(0, 4)).hidden);
  assert.deepEqual(keyValues.shape, [2, 2, 1, 4, 5, 8]);
  const rows = [goldenRow, { ...goldenRow, isConditional: false }];
  const [conditional = [], unconditional = []] = await denoise(keyValues, rows);
  assertClose(conditional, denoised7, 2e-5);
  assertClose(unconditional, unconditional7, 2e-5);
});

test('no context is a context of zero vectors', async () => {
  const { attendTo, denoise } = await openLcm(tinyTwoTowerLcm);
  const keyValues = await attendTo(floats([1, 3, 32], new Float32Array(96)));
  const [conditional = []] = await denoise(keyValues, [goldenRow]);
  assertClose(conditional, unconditional7, 2e-5);
});

for (const [name, config] of Object.entries({ rotary: tinyTwoTowerLcm, toy: toyTwoTowerLcm })) {
  for (const precision of precisions) {
    test(`${name}, ${precision}: a cached context is an uncached one`, async () => {
      const { encode } = await openLcm(config, precision);
      const whole = await encode(0, 4);
      const first = await encode(0, 3);
      const second = await encode(3, 4, first.present);
      assertClose(second.hidden.data, whole.hidden.data.slice(96), 1e-5);
      assertClose(second.present.data, whole.present.data, 1e-5);
    });

    test(`${name}, ${precision}: a batch of latents is its rows one by one`, async () => {
      const { encode, attendTo, denoise } = await openLcm(config, precision);
      const keyValues = await attendTo((await encode(0, 4)).hidden);
      const rows = [99, 50, 0].flatMap((timestep) =>
        [true, false].map((isConditional) => ({
          latents: closedFormVector(`latent ${timestep}`, 16),
          timestep,
          isConditional,
        })),
      );
      const together = await denoise(keyValues, rows);
      for (const [index, row] of rows.entries()) {
        const [alone = []] = await denoise(keyValues, [row]);
        assertClose(together[index] ?? [], alone, 1e-5);
      }
    });
  }
}

test('int8 is close to fp32', async () => {
  const { encode, attendTo, denoise } = await openLcm(tinyTwoTowerLcm, 'int8');
  const keyValues = await attendTo((await encode(0, 4)).hidden);
  const [conditional = []] = await denoise(keyValues, [goldenRow]);
  assertClose(conditional, denoised7, 0.15);
});

const shapes = twoTowerLcmShapes(tinyTwoTowerLcm);

test('a checkpoint that does not fit is named', () => {
  const build = (brokenShapes: Record<string, readonly number[]>) => () =>
    buildTwoTowerLcm(tinyTwoTowerLcm, closedFormWeights(brokenShapes), { precision: 'fp32' });
  const isMismatch = (message: RegExp) => (error: unknown) =>
    error instanceof WeightMismatchError && message.test(error.message);
  const { 'denoiser.layers.1.modulator.fc.bias': _, ...rest } = shapes;
  assert.throws(
    build(rest),
    isMismatch(/modulator\.fc\.bias: expected \[288\], found no such key/),
  );
  assert.throws(
    build({ ...shapes, 'denoiser.embed_time.fc1.weight': [32, 128] }),
    isMismatch(/embed_time\.fc1\.weight: expected \[32, 256\], found \[32, 128\]/),
  );
  assert.throws(build({ ...shapes, extra: [1] }), isMismatch(/found 1 others: extra/));
});

test('queries and keys of the self-attention of the denoiser may be left out', () => {
  const idle = /denoiser\.layers\.\d+\.self_attn\.[qk]_proj/;
  const kept = Object.fromEntries(Object.entries(shapes).filter(([name]) => !idle.test(name)));
  buildTwoTowerLcm(tinyTwoTowerLcm, closedFormWeights(kept), { precision: 'fp32' });
});

test('what we do not build is refused', () => {
  const denoiser = tinyTwoTowerLcm.denoiser;
  const unsupported: Partial<TwoTowerLcmConfig>[] = [
    { denoiser: { ...denoiser, timestepEmbedDim: 64 } },
    { denoiser: { ...denoiser, posEmbeddingStyle: 'learned' } },
    { denoiser: { ...denoiser, mhaOutputWeightNormalization: true } },
    { contextEncoder: { ...tinyTwoTowerLcm.contextEncoder, posEmbeddingStyle: 'sine' } },
  ];
  for (const change of unsupported) {
    const config = { ...tinyTwoTowerLcm, ...change };
    const build = () => buildTwoTowerLcm(config, closedFormWeights(shapes), { precision: 'fp32' });
    assert.throws(build, CheckpointUnsupportedError);
  }
});
