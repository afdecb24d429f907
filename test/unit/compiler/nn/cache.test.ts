import assert from 'node:assert/strict';
import test from 'node:test';
import { layerKeyValues, stackKeyValues } from '../../../../server/compiler/nn/cache.ts';
import { closedFormVector, closedFormWeights } from '../../../support/closedForm.ts';
import { floats, integers, runLayer } from '../../../support/graphSession.ts';

const noWeights = closedFormWeights({});
/** Three layers, two rows, two heads, three positions, two numbers a head. */
const shape = [3, 2, 2, 2, 3, 2];
const past = floats(shape, closedFormVector('past', 144));

test('what is taken apart by layers stacks to the same', async () => {
  const [stacked] = await runLayer(noWeights, [past], ({ op }, value) =>
    stackKeyValues(
      op,
      [0, 1, 2].map((layer) => layerKeyValues(op, value, layer)),
    ),
  );
  assert.deepEqual(stacked, past);
});

test('rows of the past are chosen and repeated', async () => {
  const [keys, values] = await runLayer(
    noWeights,
    [past, integers([3], [1, 0, 1])],
    ({ op }, value, rows) => {
      const layer = layerKeyValues(op, value, 2, rows);
      return [layer.keys, layer.values];
    },
  );
  const row = (part: number, index: number) => {
    const start = ((2 * 2 + part) * 2 + index) * 12;
    return past.data.slice(start, start + 12);
  };
  assert.deepEqual(keys?.shape, [3, 2, 3, 2]);
  assert.deepEqual(keys?.data, [row(0, 1), row(0, 0), row(0, 1)].flat());
  assert.deepEqual(values?.data, [row(1, 1), row(1, 0), row(1, 1)].flat());
});

test('a past of no positions gives no positions', async () => {
  const empty = floats([3, 2, 1, 2, 0, 2], []);
  const [keys] = await runLayer(
    noWeights,
    [empty, integers([2], [0, 0])],
    ({ op }, value, rows) => {
      const layer = layerKeyValues(op, value, 1, rows);
      return op.Concat([layer.keys, layer.values], { axis: 0 });
    },
  );
  assert.deepEqual(keys?.shape, [4, 2, 0, 2]);
});
