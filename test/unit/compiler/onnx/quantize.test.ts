import assert from 'node:assert/strict';
import test from 'node:test';
import {
  multiplyQuantized,
  quantizeReluRows,
  quantizeRows,
  quantizeWeight,
  quantizeWeightRows,
} from '../../../../server/compiler/onnx/quantize.ts';
import { bytesOf } from '../../../../server/compiler/onnx/scope.ts';
import { closedFormVector, closedFormWeights } from '../../../support/closedForm.ts';
import { assertClose, floats, runLayer } from '../../../support/graphSession.ts';
import { linear, relu, toRows } from '../../../support/plainLoops.ts';

const noWeights = closedFormWeights({});

test('a weight is off by at most half a step of its own row', () => {
  const weight = closedFormVector('weight', 12 * 8).map((v, i) => v * (1 + Math.floor(i / 8)));
  const { values, scales } = quantizeWeight([weight], 12, 8);
  for (const [index, value] of weight.entries()) {
    const row = Math.floor(index / 8);
    const scale = scales[row] ?? Number.NaN;
    const restored = (values[(index % 8) * 12 + row] ?? Number.NaN) * scale;
    assert.ok(Math.abs(restored - value) <= scale / 2 + 1e-7);
  }
});

test('a weight and its negative quantize alike', () => {
  const weight = closedFormVector('weight', 32);
  const { values } = quantizeWeight([weight], 4, 8);
  const negative = quantizeWeight([weight.map((v) => -v)], 4, 8);
  assert.deepEqual([...negative.values], [...values.map((v) => -v)]);
});

test('rows in parts are the rows at once, and both layouts hold the same numbers', () => {
  const weight = closedFormVector('weight', 12 * 8);
  const parts = [weight.subarray(0, 40), weight.subarray(40)];
  const whole = quantizeWeight([weight], 12, 8);
  assert.deepEqual(quantizeWeight(parts, 12, 8), whole);
  const { values, scales } = quantizeWeightRows(parts, 12, 8);
  assert.deepEqual(scales, whole.scales);
  for (const [index, value] of values.entries()) {
    assert.equal(value, whole.values[(index % 8) * 12 + Math.floor(index / 8)]);
  }
});

test('a row of zeros quantizes to zeros', () => {
  assert.deepEqual(quantizeWeight([new Float32Array(2)], 1, 2).values, new Int8Array(2));
});

/** x Wᵀ through bytes, beside the same in numbers. */
async function product(x: Float32Array, quantize: typeof quantizeRows): Promise<readonly number[]> {
  const { values, scales } = quantizeWeight([closedFormVector('W', 12 * 8)], 12, 8);
  const [result] = await runLayer(noWeights, [floats([x.length / 8, 8], x)], (scope, rows) => {
    const weight = scope.table('W', 'int8', [8, 12], () => bytesOf(values));
    const columns = scope.table('scales', 'float32', [12], () => bytesOf(scales));
    return multiplyQuantized(scope.op, quantize(scope.op, rows), weight, columns);
  });
  return result?.data ?? [];
}

const weightRows = toRows(closedFormVector('W', 12 * 8), 8);

test('a product of bytes is close to the product of numbers', async () => {
  const x = closedFormVector('x', 5 * 8);
  const expected = linear(toRows(x, 8), weightRows, []).flat();
  assertClose(await product(x, quantizeRows), expected, 0.03);
});

test('the product of bytes after relu skips negative numbers', async () => {
  const x = closedFormVector('x', 5 * 8);
  const expected = linear(relu(toRows(x, 8)), weightRows, []).flat();
  assertClose(await product(x, quantizeReluRows), expected, 0.03);
});

for (const quantize of [quantizeRows, quantizeReluRows]) {
  test(`${quantize.name}: a row does not depend on its neighbours`, async () => {
    const x = closedFormVector('x', 3 * 8);
    const together = await product(
      x.map((v, i) => (i < 8 ? v : 100 * v)),
      quantize,
    );
    const alone = await product(x.slice(0, 8), quantize);
    assert.deepEqual(together.slice(0, 12), alone);
  });

  test(`${quantize.name}: a row of zeros gives zeros`, async () => {
    assert.deepEqual(await product(new Float32Array(8), quantize), new Array(12).fill(0));
  });
}
