import assert from 'node:assert/strict';
import test from 'node:test';
import { ancestorKeyValues, growPool } from '../../../../server/compiler/nn/tokenCache.ts';
import type { Value } from '../../../../server/compiler/onnx/graph.ts';
import type { Ops } from '../../../../server/compiler/onnx/ops.ts';
import { closedFormWeights } from '../../../support/closedForm.ts';
import { floats, integers, runLayer } from '../../../support/graphSession.ts';

const numLayers = 2;
const modelDim = 2;
const poolSize = 3;
const noWeights = closedFormWeights({});

/** A number that tells where it belongs: layer, keys or values, token, dimension. */
const mark = (layer: number, table: number, token: number, d: number) =>
  1000 * layer + 100 * table + 10 * token + d;

/** Numbers of every layer, keys and values, some tokens, and every dimension, [L, 2, P, D]. */
function marks(tokens: readonly number[]): number[] {
  return [0, 1].flatMap((layer) =>
    [0, 1].flatMap((table) =>
      tokens.flatMap((token) => [0, 1].map((d) => mark(layer, table, token, d))),
    ),
  );
}

const pool = floats([numLayers, 2, poolSize, modelDim], marks([0, 1, 2]));

const takeAncestors = ({ op }: { op: Ops }, past: Value, places: Value) =>
  ancestorKeyValues(op, past, places, { numLayers, modelDim }).flatMap(({ keys, values }) => [
    keys,
    values,
  ]);

test('a row finds the keys and values of its ancestors, in their order', async () => {
  const ancestors = [
    [2, 0],
    [1, 1],
  ];
  const inputs = [pool, integers([2, 2], ancestors.flat())];
  const found = await runLayer(noWeights, inputs, takeAncestors);
  for (const [index, { shape, data }] of found.entries()) {
    const [layer, table] = [index >> 1, index & 1];
    assert.deepEqual(shape, [2, 2, modelDim]);
    assert.deepEqual(
      data,
      ancestors.flat().flatMap((token) => [0, 1].map((d) => mark(layer, table, token, d))),
    );
  }
});

test('the first token has no ancestors', async () => {
  const empty = floats([numLayers, 2, 0, modelDim], []);
  const found = await runLayer(noWeights, [empty, integers([3, 0], [])], takeAncestors);
  for (const { shape } of found) assert.deepEqual(shape, [3, 0, modelDim]);
});

for (const [keptFrom, kept] of [
  [0, [0, 1, 2]],
  [2, [2]],
  [3, []],
] as const) {
  test(`new tokens follow those from place ${keptFrom} on`, async () => {
    // Two rows of one token each, which become the tokens 3 and 4.
    const added = (layer: number, table: number) =>
      floats(
        [2, 1, modelDim],
        [3, 4].flatMap((token) => [0, 1].map((d) => mark(layer, table, token, d))),
      );
    const layers = [0, 1].flatMap((layer) => [added(layer, 0), added(layer, 1)]);
    const [present] = await runLayer(
      noWeights,
      [pool, integers([1], [keptFrom]), ...layers],
      ({ op }, past, from, ...values) => {
        const [keys0, values0, keys1, values1] = values as [Value, Value, Value, Value];
        const pairs = [
          { keys: keys0, values: values0 },
          { keys: keys1, values: values1 },
        ];
        return growPool(op, past as Value, from as Value, pairs, modelDim);
      },
    );
    assert.deepEqual(present?.shape, [numLayers, 2, kept.length + 2, modelDim]);
    assert.deepEqual(present?.data, marks([...kept, 3, 4]));
  });
}
