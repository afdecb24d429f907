import assert from 'node:assert/strict';
import test from 'node:test';
import {
  blockSize,
  blocksPerRow,
  quantizeBlocks,
} from '../../../../server/compiler/onnx/blockQuantize.ts';
import { bytesOf } from '../../../../server/compiler/onnx/scope.ts';
import { closedFormVector, closedFormWeights } from '../../../support/closedForm.ts';
import { assertClose, floats, integers, runLayer } from '../../../support/graphSession.ts';
import { linear, toRows } from '../../../support/plainLoops.ts';

/** Rows of different size, of two blocks and a half. */
const inputDim = (5 * blockSize) / 2;
const weight = closedFormVector('W', 6 * inputDim).map(
  (v, i) => v * (1 + Math.floor(i / inputDim)),
);
const quantized = quantizeBlocks([weight], 6, inputDim);
const blocks = blocksPerRow(inputDim);

/** The numbers that the four bits stand for. */
function restore({ values, scales }: typeof quantized): number[] {
  return Array.from({ length: (scales.length / blocks) * inputDim }, (_, i) => {
    const place = Math.floor(i / inputDim) * blocks * blockSize + (i % inputDim);
    const number = ((values[place >> 1] ?? Number.NaN) >> (4 * (place & 1))) & 15;
    return (number - 8) * (scales[Math.floor(place / blockSize)] ?? Number.NaN);
  });
}

test('a number is off by at most half a step of its block, or one at the far end', () => {
  for (const [i, restored] of restore(quantized).entries()) {
    const block = Math.floor(i / inputDim) * blocks + Math.floor((i % inputDim) / blockSize);
    const scale = quantized.scales[block] ?? Number.NaN;
    const value = weight[i] ?? Number.NaN;
    const isClamped = value / scale > 7;
    assert.ok(Math.abs(restored - value) <= Math.abs(scale) * (isClamped ? 1 : 0.5) + 1e-6);
  }
});

test('the largest number of a block is met exactly', () => {
  const block = Float32Array.from({ length: blockSize }, (_, i) => (i === 3 ? -2.5 : i / 100));
  const { values, scales } = quantizeBlocks([block], 1, blockSize);
  assert.equal(((values[1] ?? 0) >> 4) - 8, -8);
  assert.deepEqual([...scales], [2.5 / 8]);
});

test('a block of zeros quantizes to zeros', () => {
  const { values, scales } = quantizeBlocks([new Float32Array(blockSize)], 1, blockSize);
  assert.ok(values.every((byte) => byte === 0x88));
  assert.equal(Math.abs(scales[0] ?? Number.NaN), 0);
});

test('rows in parts are the rows at once', () => {
  const part = (first: number, end: number) => weight.subarray(first * inputDim, end * inputDim);
  assert.deepEqual(quantizeBlocks([part(0, 2), part(2, 5), part(5, 6)], 6, inputDim), quantized);
});

test('one table is looked up and multiplied with', async () => {
  const x = closedFormVector('x', 3 * inputDim);
  const ids = integers([1, 2], [5, 0]);
  const [products, rows] = await runLayer(
    closedFormWeights({}),
    [floats([3, inputDim], x), ids],
    (scope, value, indices) => {
      const { op } = scope;
      const values = scope.table('W', 'uint8', [6, blocks, blockSize / 2], () => quantized.values);
      const scales = scope.table('S', 'float32', [6, blocks], () => bytesOf(quantized.scales));
      const dims = { inputDim, outputDim: 6, blockSize };
      return [
        op.MatMulNBits(value, values, scales, null, dims),
        op.GatherBlockQuantized(values, indices, op.Unsqueeze(scales, [2]), { blockSize }),
      ];
    },
  );
  const restored = restore(quantized);
  const expected = linear(toRows(x, inputDim), toRows(restored, inputDim), []).flat();
  // Activations are rounded to bytes: 80 of them below 1, times weights below 6.
  assertClose(products?.data ?? [], expected, 0.2);

  assert.deepEqual(rows?.shape, [1, 2, blocks, blockSize]);
  const row = (index: number) => restored.slice(index * inputDim, (index + 1) * inputDim);
  const padded = blocks * blockSize;
  const found = rows?.data ?? [];
  assertClose(found.slice(0, inputDim), row(5), 1e-6);
  assertClose(found.slice(padded, padded + inputDim), row(0), 1e-6);
});
