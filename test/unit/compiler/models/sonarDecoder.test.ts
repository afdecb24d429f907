import assert from 'node:assert/strict';
import test from 'node:test';
import { CheckpointUnsupportedError, WeightMismatchError } from '../../../../server/base/errors.ts';
import { buildSonarDecoder } from '../../../../server/compiler/models/sonarDecoder.ts';
import { type Precision, precisions } from '../../../../server/model/manifest.ts';
import {
  crossAttentionConstant,
  decoderArgMax,
  decoderIds,
  logits01,
  logits03,
  logits10,
  logProbs01,
  sentenceEmbedding0,
  sentenceEmbedding1,
} from '../../../golden/tinyModels.ts';
import { closedFormWeights } from '../../../support/closedForm.ts';
import {
  assertClose,
  floats,
  integers,
  openGraph,
  rowOf,
  type TestTensor,
} from '../../../support/graphSession.ts';
import { tinySonarDecoder } from '../../../support/tinyModels.ts';
import { sonarDecoderShapes } from '../../../support/tinyShapes.ts';

const shapes = sonarDecoderShapes(tinySonarDecoder);
const emptyPast = floats([2, 2, 0, 32], []);
const vocabulary = Array.from({ length: tinySonarDecoder.vocabInfo.size }, (_, token) => token);
const embeddings = floats([2, 32], [...sentenceEmbedding0, ...sentenceEmbedding1]);

interface Step {
  ids: readonly (readonly number[])[];
  past?: TestTensor;
  /** For each row the places of its tokens in the past; by default those of the rows themselves. */
  ancestors?: readonly (readonly number[])[];
  topCount?: number;
  keptFrom?: number;
  temperature?: number;
}

/** Opens both graphs; `step` decodes the two concepts of `embeddings`, or those in `concepts`. */
async function openDecoder(precision: Precision = 'fp32', source = closedFormWeights(shapes)) {
  const graphs = buildSonarDecoder(tinySonarDecoder, source, { precision });
  const prepare = await openGraph(graphs.prepare);
  const runStep = await openGraph(graphs.step);
  const { encoder_hidden_states: constants = assert.fail() } = await prepare({
    sentence_embedding: embeddings,
  });
  const step = async (
    { ids, past = emptyPast, ancestors, topCount = 3, temperature = 1, keptFrom = 0 }: Step,
    concepts: readonly number[] = ids.map((_, index) => index),
  ) => {
    const count = ids.length;
    const places = ancestors ?? ids.map((_, row) => placesOf(row, count, past));
    const results = await runStep({
      input_ids: integers([count, ids[0]?.length ?? 0], ids.flat()),
      ancestors: integers([count, places[0]?.length ?? 0], places.flat()),
      encoder_hidden_states: floats(
        [count, 2, 32],
        concepts.flatMap((concept) => [...rowOf(constants, concept)]),
      ),
      past_key_values: past,
      top_count: integers([1], [topCount]),
      temperature: floats([1], [temperature]),
      kept_from: integers([1], [keptFrom]),
      scored_tokens: integers([vocabulary.length], vocabulary),
    });
    const result = (name: string) => results[name] ?? assert.fail(name);
    return {
      logProbs: result('scored_log_probs'),
      topLogProbs: result('top_log_probs'),
      topTokens: result('top_tokens'),
      present: result('present_key_values'),
    };
  };
  return { constants, step };
}

/** Where a row's tokens are in the past when all rows went one token at a time. */
function placesOf(row: number, count: number, { shape }: TestTensor): number[] {
  return Array.from({ length: (shape[2] ?? 0) / count }, (_, t) => t * count + row);
}

function prefix(length: number): number[][] {
  return decoderIds.map((row) => row.slice(0, length));
}

/** Logits are known up to a constant: log-probabilities differ as logits do. */
function assertLogits(logProbs: readonly number[], logits: readonly number[]): void {
  const differences = (values: readonly number[]) => values.map((v) => v - (values[0] ?? NaN));
  assertClose(differences(logProbs.slice(0, logits.length)), differences(logits), 2e-5);
}

test('the constants of cross-attention are those of the reference', async () => {
  const { constants } = await openDecoder();
  assert.deepEqual(constants.shape, [2, 2, 32]);
  assertClose(constants.data.slice(0, 4), crossAttentionConstant, 2e-5);
});

test('the log-probabilities are those of the reference', async () => {
  const { step } = await openDecoder();
  const first = await step({ ids: prefix(1) });
  assertLogits(rowOf(first.logProbs, 1), logits10);
  const second = await step({ ids: prefix(2) });
  assertLogits(rowOf(second.logProbs, 0), logits01);
  assertClose(rowOf(second.logProbs, 0).slice(0, 4), logProbs01, 2e-5);
  const fourth = await step({ ids: prefix(4) });
  assertLogits(rowOf(fourth.logProbs, 0), logits03);
});

test('the best token at every position is that of the reference', async () => {
  const { step } = await openDecoder();
  for (const length of [1, 2, 3, 4]) {
    const { topTokens } = await step({ ids: prefix(length), topCount: 1 });
    assert.deepEqual(
      topTokens.data,
      decoderArgMax.map((row) => row[length - 1]),
    );
  }
});

for (const precision of precisions) {
  test(`${precision}: tokens one by one are tokens at once`, async () => {
    const { step } = await openDecoder(precision);
    const atOnce = await step({ ids: prefix(4) });
    let past = emptyPast;
    let last = atOnce;
    for (const position of [0, 1, 2, 3]) {
      last = await step({ ids: decoderIds.map((row) => row.slice(position, position + 1)), past });
      past = last.present;
    }
    assertClose(last.logProbs.data, atOnce.logProbs.data, 1e-5);
    assert.deepEqual(last.present.shape, [2, 2, 8, 32]);
    assertClose(
      byRow(last.present, (row, t) => 2 * t + row),
      atOnce.present.data,
      1e-5,
    );
  });

  test(`${precision}: a batch is its rows one by one`, async () => {
    const { step } = await openDecoder(precision);
    const together = await step({ ids: prefix(3) });
    for (const index of [0, 1]) {
      const alone = await step({ ids: [prefix(3)[index] ?? []] }, [index]);
      assertClose(rowOf(together.logProbs, index), alone.logProbs.data, 1e-5);
    }
  });
}

/** The cache of two rows of four tokens, row after row. */
function byRow({ data }: TestTensor, place: (row: number, t: number) => number): number[] {
  const tables = Array.from({ length: 4 }, (_, table) =>
    data.slice(table * 256, (table + 1) * 256),
  );
  return tables.flatMap((table) =>
    [0, 1].flatMap((row) =>
      [0, 1, 2, 3].flatMap((t) => table.slice(place(row, t) * 32, (place(row, t) + 1) * 32)),
    ),
  );
}

test('rows that swap and share their past are recomputed rows', async () => {
  const { step } = await openDecoder();
  const { present } = await step({ ids: prefix(3) });
  const parents = [1, 0, 0];
  const ancestors = parents.map((row) => [0, 1, 2].map((t) => 3 * row + t));
  const reordered = await step({ ids: [[5], [6], [7]], past: present, ancestors }, parents);
  const whole = parents.map((row, index) => [...(prefix(3)[row] ?? []), 5 + index]);
  const recomputed = await step({ ids: whole }, parents);
  assertClose(reordered.logProbs.data, recomputed.logProbs.data, 1e-5);
  assert.deepEqual(reordered.present.shape, [2, 2, 6 + 3, 32]);
});

test('the past may be left out of what a step hands out', async () => {
  const { step } = await openDecoder();
  const { present: past } = await step({ ids: prefix(3) });
  const ids = [[5], [6]];
  const ancestors = [
    [0, 1, 2],
    [3, 4, 5],
  ];
  const whole = await step({ ids, past, ancestors });
  const added = await step({ ids, past, ancestors, keptFrom: 6 });
  assert.deepEqual(added.present.shape, [2, 2, 2, 32]);
  const tables = [0, 1, 2, 3].map((table) => (table * 8 + 6) * 32);
  const ends = tables.flatMap((start) => whole.present.data.slice(start, start + 2 * 32));
  assert.deepEqual(added.present.data, ends);
  assert.deepEqual(added.logProbs.data, whole.logProbs.data);
});

test('the best tokens are sorted, and those asked for have an output', async () => {
  const { step } = await openDecoder();
  const { logProbs, topLogProbs, topTokens } = await step({
    ids: prefix(2),
    topCount: 5,
  });
  for (const index of [0, 1]) {
    const row = rowOf(logProbs, index);
    const sorted = row.map((value, token) => ({ value, token })).sort((a, b) => b.value - a.value);
    assert.deepEqual(
      rowOf(topTokens, index),
      sorted.slice(0, 5).map(({ token }) => token),
    );
    assert.deepEqual(
      rowOf(topLogProbs, index),
      sorted.slice(0, 5).map(({ value }) => value),
    );
    assertClose([row.reduce((sum, value) => sum + Math.exp(value), 0)], [1], 1e-5);
  }
});

test('temperature divides the logits', async () => {
  const { step } = await openDecoder();
  const cold = await step({ ids: prefix(2), temperature: 0.5 });
  assertLogits(
    rowOf(cold.logProbs, 0),
    logits01.map((logit) => logit / 0.5),
  );
});

test('int8 is close to fp32', async () => {
  const exact = await (await openDecoder('fp32')).step({ ids: prefix(4) });
  const quantized = await (await openDecoder('int8')).step({ ids: prefix(4) });
  assertClose(quantized.logProbs.data, exact.logProbs.data, 0.15);
});

test('a checkpoint that stores the tied projection too gives the same numbers', async () => {
  const tied = closedFormWeights(shapes);
  const source = {
    ...tied,
    names: () => [...tied.names(), 'final_proj.weight'],
    has: (name: string) => name === 'final_proj.weight' || tied.has(name),
    shape: (name: string) => tied.shape(embedOf(name)),
    read: (name: string) => tied.read(embedOf(name)),
  };
  const { logProbs } = await (await openDecoder('fp32', source)).step({ ids: prefix(2) });
  assertClose(rowOf(logProbs, 0).slice(0, 4), logProbs01, 2e-5);
});

test('queries and keys of cross-attention may be left out', async () => {
  const idle = /encoder_decoder_attn(_layer_norm|\.[qk]_proj)/;
  const kept = Object.fromEntries(Object.entries(shapes).filter(([name]) => !idle.test(name)));
  const { step } = await openDecoder('fp32', closedFormWeights(kept));
  const { logProbs } = await step({ ids: prefix(2) });
  assertClose(rowOf(logProbs, 0).slice(0, 4), logProbs01, 2e-5);
});

test('an embedding of another dimension enters through the values', async () => {
  const config = { ...tinySonarDecoder, inputDim: 16 };
  const source = closedFormWeights(sonarDecoderShapes(config));
  const { prepare } = buildSonarDecoder(config, source, { precision: 'fp32' });
  const run = await openGraph(prepare);
  const results = await run({ sentence_embedding: floats([1, 16], new Float32Array(16)) });
  assert.deepEqual(results['encoder_hidden_states']?.shape, [1, 2, 32]);
});

test('an unknown key and a missing one are named', () => {
  const build = (brokenShapes: Record<string, readonly number[]>) => () =>
    buildSonarDecoder(tinySonarDecoder, closedFormWeights(brokenShapes), { precision: 'fp32' });
  assert.throws(build({ ...shapes, 'decoder.version': [1] }), (error) => {
    return error instanceof WeightMismatchError && /decoder\.version/.test(error.message);
  });
  const { 'decoder.layer_norm.bias': _, ...rest } = shapes;
  assert.throws(build(rest), (error) => {
    return error instanceof WeightMismatchError && /decoder\.layer_norm\.bias/.test(error.message);
  });
});

test('what we do not build is refused', () => {
  const build = (change: object) => () =>
    buildSonarDecoder({ ...tinySonarDecoder, ...change }, closedFormWeights(shapes), {
      precision: 'fp32',
    });
  assert.throws(build({ activationFn: 'GELU' }), CheckpointUnsupportedError);
  assert.throws(build({ learnedPos: true }), CheckpointUnsupportedError);
  assert.throws(build({ numDecoderAttnHeads: 3 }), CheckpointUnsupportedError);
});

function embedOf(name: string): string {
  return name === 'final_proj.weight' ? 'decoder_frontend.embed.weight' : name;
}
