import assert from 'node:assert/strict';
import test from 'node:test';
import { WeightMismatchError } from '../../../../server/base/errors.ts';
import { buildSonarLlm } from '../../../../server/compiler/models/sonarLlm.ts';
import { llama3Frequencies, rotaryFrequencies } from '../../../../server/compiler/nn/positions.ts';
import type { SonarLlmConfig } from '../../../../server/model/config.ts';
import type { Precision } from '../../../../server/model/manifest.ts';
import { sonarLlmGolden } from '../../../golden/sonarLlm/golden.ts';
import { closedFormVector, closedFormWeights } from '../../../support/closedForm.ts';
import { assertClose, floats, openGraph, type TestTensor } from '../../../support/graphSession.ts';
import * as plain from '../../../support/plainLoops.ts';
import { tinyGroupedSonarLlm, tinySonarLlm } from '../../../support/tinyModels.ts';
import { sonarLlmShapes } from '../../../support/tinyShapes.ts';

const concepts = closedFormVector('concepts', 9 * 16, 0.03);

/** Concepts `start` to `end` of the document. */
function document(start: number, end: number): TestTensor {
  return floats([1, end - start, 16], concepts.slice(start * 16, end * 16));
}

async function openLlm(config: SonarLlmConfig, precision: Precision = 'fp32') {
  const { numHiddenLayers, numKeyValueHeads, headDim } = config.llama;
  const weights = closedFormWeights(sonarLlmShapes(config));
  const run = await openGraph(buildSonarLlm(config, weights, { precision }).lcm);
  const emptyPast = (rows: number) =>
    floats([numHiddenLayers, 2, rows, numKeyValueHeads, 0, headDim], []);
  return async (x: TestTensor, past = emptyPast(x.shape[0] ?? 0)) => {
    const results = await run({ sentence_embedding: x, past_key_values: past });
    const result = (name: string) => results[name] ?? assert.fail(name);
    return { next: result('next_embedding'), present: result('present_key_values') };
  };
}

/** As in the 600M model, whose 26 heads share no dimension of the hidden size evenly. */
const unevenSonarLlm: SonarLlmConfig = {
  ...tinySonarLlm,
  llama: { ...tinySonarLlm.llama, numAttentionHeads: 5, numKeyValueHeads: 5, ropeScaling: null },
};

test('the predictions are those of transformers’ Llama', async () => {
  for (const [config, expected] of [
    [tinySonarLlm, sonarLlmGolden.predictions.ungrouped],
    [tinyGroupedSonarLlm, sonarLlmGolden.predictions.grouped],
  ] as const) {
    const { next } = await (await openLlm(config))(document(0, 9));
    assert.deepEqual(next.shape, [1, 9, 16]);
    assertClose(next.data, expected.flat(), 2e-5);
  }
});

const configs = { tiny: tinySonarLlm, grouped: tinyGroupedSonarLlm, uneven: unevenSonarLlm };

for (const [name, config] of Object.entries(configs)) {
  test(`${name}: the graph is the network in plain loops`, async () => {
    const { next } = await (await openLlm(config))(document(0, 9));
    assertClose(next.data, plainSonarLlm(config, plain.toRows(concepts, 16)).flat(), 1e-5);
  });

  test(`${name}: a batch is its documents one by one`, async () => {
    const predict = await openLlm(config);
    const [first, second] = [document(0, 3), document(3, 6)];
    const together = await predict(floats([2, 3, 16], [...first.data, ...second.data]));
    const alone = [await predict(first), await predict(second)];
    const expected = alone.flatMap(({ next }) => [...next.data]);
    assertClose(together.next.data, expected, 1e-5);
  });

  for (const precision of ['fp32', 'int8'] as const) {
    test(`${name}, ${precision}: cached is uncached`, async () => {
      const predict = await openLlm(config, precision);
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
}

test('int8 is close to fp32', async () => {
  const exact = await (await openLlm(tinySonarLlm))(document(0, 4));
  const quantized = await (await openLlm(tinySonarLlm, 'int8'))(document(0, 4));
  assertClose(quantized.next.data, exact.next.data, 0.05);
});

test('a checkpoint that does not fit is named', () => {
  const shapes = sonarLlmShapes(tinySonarLlm);
  const { 'reverse_proj.linear.bias': _, ...rest } = shapes;
  const key = 'llama_model.model.layers.1.self_attn.o_proj.weight';
  for (const [broken, message] of [
    [rest, /reverse_proj\.linear\.bias: expected \[16\], found no such key/],
    [{ ...shapes, [key]: [24, 24] }, /o_proj\.weight: expected \[24, 32\], found \[24, 24\]/],
    [{ ...shapes, extra: [1] }, /found 1 others: extra/],
  ] as const) {
    assert.throws(
      () => buildSonarLlm(tinySonarLlm, closedFormWeights(broken), { precision: 'fp32' }),
      (error) => error instanceof WeightMismatchError && message.test(error.message),
    );
  }
});

/** The whole network once more. */
function plainSonarLlm({ llama, ...config }: SonarLlmConfig, x: plain.Rows): number[][] {
  const weights = closedFormWeights(sonarLlmShapes({ llama, ...config }));
  const vector = (name: string) => Array.from(weights.read(name));
  const linear = (name: string, rows: plain.Rows) => {
    const inputDim = weights.shape(`${name}.weight`)[1] ?? 0;
    const bias = weights.has(`${name}.bias`) ? vector(`${name}.bias`) : [];
    return plain.linear(rows, plain.toRows(weights.read(`${name}.weight`), inputDim), bias);
  };
  const { numAttentionHeads: heads, numKeyValueHeads, headDim, ropeScaling } = llama;
  const norm = (name: string, rows: plain.Rows) =>
    plain.rmsNorm(rows, vector(`${name}.weight`), llama.rmsNormEps);
  const waves = rotaryFrequencies(headDim, llama.ropeTheta);
  const frequencies = ropeScaling ? llama3Frequencies(waves, ropeScaling) : waves;
  const share = (rows: plain.Rows) =>
    rows.map((row) =>
      Array.from({ length: heads }, (_, h) => {
        const start = Math.floor((h * numKeyValueHeads) / heads) * headDim;
        return row.slice(start, start + headDim);
      }).flat(),
    );

  let hidden = linear('forward_proj.linear', x);
  for (let i = 0; i < llama.numHiddenLayers; i++) {
    const layer = (name: string) => `llama_model.model.layers.${i}.${name}`;
    const normed = norm(layer('input_layernorm'), hidden);
    const project = (name: string) => linear(layer(`self_attn.${name}_proj`), normed);
    const q = plain.rotateHalves(project('q'), heads, frequencies);
    const k = share(plain.rotateHalves(project('k'), numKeyValueHeads, frequencies));
    const attended = plain.attention(q, k, share(project('v')), heads, (s, t) => t <= s);
    hidden = plain.add(hidden, linear(layer('self_attn.o_proj'), attended));
    const normedH = norm(layer('post_attention_layernorm'), hidden);
    const gate = plain.silu(linear(layer('mlp.gate_proj'), normedH));
    const inner = plain.multiply(gate, linear(layer('mlp.up_proj'), normedH));
    hidden = plain.add(hidden, linear(layer('mlp.down_proj'), inner));
  }
  return linear('reverse_proj.linear', norm('llama_model.model.norm', hidden));
}
