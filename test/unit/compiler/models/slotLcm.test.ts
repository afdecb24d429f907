import assert from 'node:assert/strict';
import test from 'node:test';
import { CheckpointUnsupportedError, WeightMismatchError } from '../../../../server/base/errors.ts';
import { buildOneTowerLcm } from '../../../../server/compiler/models/oneTowerLcm.ts';
import { buildQuantLcm, openCodebooks } from '../../../../server/compiler/models/quantLcm.ts';
import type { Graph } from '../../../../server/compiler/onnx/graph.ts';
import type { WeightSource } from '../../../../server/compiler/onnx/weights.ts';
import type { OneTowerLcmConfig, QuantLcmConfig } from '../../../../server/model/config.ts';
import type { Precision } from '../../../../server/model/manifest.ts';
import { closedFormVector, closedFormWeights } from '../../../support/closedForm.ts';
import {
  assertClose,
  floats,
  integers,
  openGraph,
  rowOf,
  type TestTensor,
} from '../../../support/graphSession.ts';
import * as plain from '../../../support/plainLoops.ts';
import { latents, normalizedConcepts } from '../../../support/tinyConcepts.ts';
import {
  rotaryOneTowerLcm,
  tinyOneTowerLcm,
  tinyQuantLcmC,
  tinyQuantLcmD,
  toyOneTowerLcm,
} from '../../../support/tinyModels.ts';
import { oneTowerLcmShapes, quantLcmShapes } from '../../../support/tinyShapes.ts';

type Config = OneTowerLcmConfig | QuantLcmConfig;

const configs: Readonly<Record<string, Config>> = {
  'one-tower': tinyOneTowerLcm,
  'toy one-tower': toyOneTowerLcm,
  'rotary one-tower': rotaryOneTowerLcm,
  'quant-c': tinyQuantLcmC,
  'quant-d': tinyQuantLcmD,
};

function weightsOf(config: Config): WeightSource {
  return closedFormWeights(
    config.modelType === 'quant_lcm' ? quantLcmShapes(config) : oneTowerLcmShapes(config),
  );
}

function build(config: Config, precision: Precision = 'fp32'): Graph {
  const [weights, options] = [weightsOf(config), { precision }];
  return config.modelType === 'quant_lcm'
    ? buildQuantLcm(config, weights, options).lcm
    : buildOneTowerLcm(config, weights, options).lcm;
}

/** The condition of clean concepts, and one of slots. */
function conditions(config: Config): { clean: number; slot: number } {
  return config.modelType === 'quant_lcm'
    ? { clean: config.numCodebooks, slot: 1 }
    : { clean: 0, slot: 7 };
}

interface Slot {
  slot: ArrayLike<number>;
  isConditional: boolean;
}

async function openLcm(config: Config, precision: Precision = 'fp32') {
  const run = await openGraph(build(config, precision));
  const { clean, slot: slotCondition } = conditions(config);
  const result = (results: Record<string, TestTensor>, name: string) =>
    results[name] ?? assert.fail(name);
  return {
    /** Reads concepts `start` to `end` of the golden document. */
    async read(start: number, end: number, past = floats([2, 2, 1, 4, 0, 8], [])) {
      const concepts = normalizedConcepts.slice(start * 16, end * 16);
      const results = await run({
        sentence_embedding: floats([1, end - start, 16], concepts),
        condition: integers([1], [clean]),
        is_conditional: floats([1], [1]),
        past_key_values: past,
      });
      return result(results, 'present_key_values');
    },
    /** Predicts from slots after the past. */
    async predict(past: TestTensor, rows: readonly Slot[], condition = slotCondition) {
      const count = rows.length;
      const results = await run({
        sentence_embedding: floats(
          [count, 1, 16],
          rows.flatMap(({ slot }) => Array.from(slot)),
        ),
        condition: integers([count], new Array(count).fill(condition)),
        is_conditional: floats(
          [count],
          rows.map(({ isConditional }) => (isConditional ? 1 : 0)),
        ),
        past_key_values: past,
      });
      const prediction = result(results, 'prediction');
      return rows.map((_, index) => rowOf(prediction, index));
    },
  };
}

const row: Slot = { slot: latents, isConditional: true };

for (const [name, config] of Object.entries(configs)) {
  test(`${name}: the graph is the network in plain loops, with and without context`, async () => {
    const { read, predict } = await openLcm(config);
    const past = await read(0, 4);
    assert.deepEqual(past.shape, [2, 2, 1, 4, 4, 8]);
    const found = await predict(past, [row, { ...row, isConditional: false }]);
    assertClose(found[0] ?? [], plainPrediction(config, latents, { seesContext: true }), 2e-5);
    assertClose(found[1] ?? [], plainPrediction(config, latents, { seesContext: false }), 2e-5);
  });

  for (const precision of ['fp32', 'int8'] as const) {
    test(`${name}, ${precision}: a cached context is an uncached one`, async () => {
      const { read } = await openLcm(config, precision);
      const whole = await read(0, 4);
      const second = await read(3, 4, await read(1, 3, await read(0, 1)));
      assertClose(second.data, whole.data, 1e-5);
    });

    test(`${name}, ${precision}: a batch of slots is its rows one by one`, async () => {
      const { read, predict } = await openLcm(config, precision);
      const past = await read(0, 4);
      const rows = ['a', 'b', 'c'].flatMap((seed) =>
        [true, false].map((isConditional) => ({ slot: closedFormVector(seed, 16), isConditional })),
      );
      const together = await predict(past, rows);
      for (const [index, one] of rows.entries()) {
        const [alone = []] = await predict(past, [one]);
        assertClose(together[index] ?? [], alone, 1e-5);
      }
    });
  }
}

test('without a past there is nothing to be conditional on', async () => {
  const { predict } = await openLcm(tinyOneTowerLcm);
  const rows = [row, { ...row, isConditional: false }];
  const [first = [], second = []] = await predict(floats([2, 2, 1, 4, 0, 8], []), rows);
  assertClose(first, second, 0);
});

test('the condition matters', async () => {
  const { read, predict } = await openLcm(tinyQuantLcmD);
  const past = await read(0, 4);
  assert.notDeepEqual(await predict(past, [row], 0), await predict(past, [row], 2));
});

test('the codebooks are read one by one', () => {
  const source = weightsOf(tinyQuantLcmD);
  const codebooks = openCodebooks(tinyQuantLcmD, source);
  const all = [...codebooks.read()].flatMap((codebook) => [...codebook]);
  assert.deepEqual(all, [...source.read('quantizer.codebooks')]);
  assert.equal(codebooks.sizeBytes, all.length * 4);
});

test('a checkpoint that does not fit is named', () => {
  const isMismatch = (message: RegExp) => (error: unknown) =>
    error instanceof WeightMismatchError && message.test(error.message);
  const oneTower = oneTowerLcmShapes(tinyOneTowerLcm);
  const quant = quantLcmShapes(tinyQuantLcmD);
  const options = { precision: 'fp32' } as const;
  const buildOne = (shapes: typeof oneTower) => () =>
    buildOneTowerLcm(tinyOneTowerLcm, closedFormWeights(shapes), options);
  const buildQuant = (shapes: typeof quant) => () =>
    buildQuantLcm(tinyQuantLcmD, closedFormWeights(shapes), options);
  const { 'embed_time.fc2.bias': _, ...rest } = oneTower;
  assert.throws(buildOne(rest), isMismatch(/embed_time\.fc2\.bias: expected \[24\], found no/));
  const narrow = { ...oneTower, 'frontend.pre_linear.weight': [32, 16] };
  assert.throws(buildOne(narrow), isMismatch(/pre_linear\.weight: expected \[32, 40\], found/));
  assert.throws(buildOne({ ...oneTower, extra: [1] }), isMismatch(/found 1 others: extra/));
  const few = { ...quant, 'embed_codebook.weight': [3, 24] };
  assert.throws(buildQuant(few), isMismatch(/embed_codebook\.weight: expected \[4, 24\], found/));
  const wide = { ...quant, 'postnet.fc.weight': [16, 32] };
  assert.throws(buildQuant(wide), isMismatch(/postnet\.fc\.weight: expected \[10, 32\], found/));
  const { 'quantizer.codebooks': __, ...bare } = quant;
  assert.throws(
    () => openCodebooks(tinyQuantLcmD, closedFormWeights(bare)),
    isMismatch(/quantizer\.codebooks: expected \[3,10,16\], found no such key/),
  );
});

test('what we do not build is refused', () => {
  const config = {
    ...tinyOneTowerLcm,
    lcm: { ...tinyOneTowerLcm.lcm, posEmbeddingStyle: 'sine' },
  } as const;
  assert.throws(() => build(config), CheckpointUnsupportedError);
});

/** The prediction of a slot after the four golden concepts, without a cache. */
function plainPrediction(
  config: Config,
  slot: ArrayLike<number>,
  { seesContext }: { seesContext: boolean },
): number[] {
  const weights = weightsOf(config);
  const vector = (name: string) => Array.from(weights.read(name));
  const matrix = (name: string) => plain.toRows(weights.read(name), weights.shape(name)[1] ?? 0);
  const linear = (name: string, rows: plain.Rows) => {
    const bias = weights.has(`${name}.bias`) ? vector(`${name}.bias`) : [];
    return plain.linear(rows, matrix(`${name}.weight`), bias);
  };
  const { lcm } = config;
  const norm = (name: string, rows: plain.Rows) =>
    lcm.layerNormalizationStyle === 'rms'
      ? plain.rmsNorm(rows, vector(`${name}.weight`))
      : plain.layerNorm(rows, vector(`${name}.weight`), vector(`${name}.bias`));
  const turn = (rows: plain.Rows) =>
    lcm.posEmbeddingStyle === 'rope' ? plain.rotate(rows, 4, lcm.ropeTheta) : rows;
  const embed = (condition: number): number[] => {
    if (config.modelType === 'quant_lcm') return matrix('embed_codebook.weight')[condition] ?? [];
    const waves = [Math.cos, Math.sin].flatMap((wave) =>
      Array.from({ length: 128 }, (_, i) => wave(condition * 10_000 ** (-i / 128))),
    );
    const [embedded = []] = linear('embed_time.fc2', plain.silu(linear('embed_time.fc1', [waves])));
    return embedded;
  };

  const { clean, slot: slotCondition } = conditions(config);
  const inputs = [
    ...plain.toRows(normalizedConcepts, 16).map((concept) => [...concept, ...embed(clean)]),
    [...Array.from(slot), ...embed(slotCondition)],
  ];
  const sees = (query: number, key: number) =>
    query < 4 || seesContext ? key <= query : key === query;

  let hidden = linear('frontend.pre_linear', inputs);
  if (lcm.posEmbeddingStyle === 'learned') {
    hidden = plain.add(hidden, matrix('frontend.pos_encoder.weight').slice(0, 5));
  }
  for (let i = 0; i < lcm.numLayers; i++) {
    const layer = (name: string) => `lcm.layers.${i}.${name}`;
    const normed = norm(layer('self_attn_layer_norm'), hidden);
    const project = (name: string) => linear(layer(`self_attn.${name}_proj`), normed);
    const heads = plain.attention(turn(project('q')), turn(project('k')), project('v'), 4, sees);
    hidden = plain.add(hidden, linear(layer('self_attn.output_proj'), heads));
    const normedH = norm(layer('ffn_layer_norm'), hidden);
    const inner = linear(layer('ffn.inner_proj'), normedH);
    const activated = lcm.useSwiglu
      ? plain.multiply(plain.silu(linear(layer('ffn.gate_proj'), normedH)), inner)
      : plain.relu(inner);
    hidden = plain.add(hidden, linear(layer('ffn.output_proj'), activated));
  }
  return linear('postnet.fc', norm('lcm.layer_norm', hidden).slice(-1)).flat();
}
