import assert from 'node:assert/strict';
import test from 'node:test';
import {
  type BlockBits,
  blockBytes,
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
const blocks = blocksPerRow(inputDim);

const quantize = (bits: BlockBits, parts: Float32Array[] = [weight]) =>
  quantizeBlocks(parts, 6, inputDim, bits);

/** The numbers that the bits stand for. */
function restore({ values, scales }: ReturnType<typeof quantize>, bits: BlockBits): number[] {
  const perByte = 8 / bits;
  return Array.from({ length: (scales.length / blocks) * inputDim }, (_, i) => {
    const place = Math.floor(i / inputDim) * blocks * blockSize + (i % inputDim);
    const byte = values[Math.floor(place / perByte)] ?? Number.NaN;
    const number = (byte >> (bits * (place % perByte))) & (2 ** bits - 1);
    return (number - 2 ** (bits - 1)) * (scales[Math.floor(place / blockSize)] ?? Number.NaN);
  });
}

for (const bits of [4, 8] as const) {
  test(`a number in ${bits} bits is off by at most half a step of its block, or one at the far end`, () => {
    const quantized = quantize(bits);
    for (const [i, restored] of restore(quantized, bits).entries()) {
      const block = Math.floor(i / inputDim) * blocks + Math.floor((i % inputDim) / blockSize);
      const scale = quantized.scales[block] ?? Number.NaN;
      const value = weight[i] ?? Number.NaN;
      const isClamped = value / scale > 2 ** (bits - 1) - 1;
      assert.ok(Math.abs(restored - value) <= Math.abs(scale) * (isClamped ? 1 : 0.5) + 1e-6);
    }
  });

  test(`rows in parts are the rows at once, in ${bits} bits`, () => {
    const part = (first: number, end: number) => weight.subarray(first * inputDim, end * inputDim);
    const parts = [part(0, 2), part(2, 5), part(5, 6)];
    assert.deepEqual(quantize(bits, parts), quantize(bits));
  });

  test(`rows are multiplied with what ${bits} bits stand for`, async () => {
    const quantized = quantize(bits);
    const x = closedFormVector('x', 3 * inputDim);
    const [products] = await runLayer(
      closedFormWeights({}),
      [floats([3, inputDim], x)],
      (scope, value) => {
        const shape = [6, blocks, blockBytes(bits)];
        const values = scope.table('W', 'uint8', shape, () => quantized.values);
        const scales = scope.table('S', 'float32', [6, blocks], () => bytesOf(quantized.scales));
        const dims = { inputDim, outputDim: 6, blockSize, bits };
        return scope.op.MatMulNBits(value, values, scales, null, dims);
      },
    );
    const restored = restore(quantized, bits);
    const expected = linear(toRows(x, inputDim), toRows(restored, inputDim), []).flat();
    // Activations are rounded to bytes: 80 of them below 1, times weights below 6.
    assertClose(products?.data ?? [], expected, 0.2);
  });
}

test('the largest number of a block is met exactly', () => {
  const block = Float32Array.from({ length: blockSize }, (_, i) => (i === 3 ? -2.5 : i / 100));
  const { values, scales } = quantizeBlocks([block], 1, blockSize, 4);
  assert.equal(((values[1] ?? 0) >> 4) - 8, -8);
  assert.deepEqual([...scales], [2.5 / 8]);
});

test('a block of zeros quantizes to zeros', () => {
  const { values, scales } = quantizeBlocks([new Float32Array(blockSize)], 1, blockSize, 4);
  assert.ok(values.every((byte) => byte === 0x88));
  assert.equal(Math.abs(scales[0] ?? Number.NaN), 0);
});

test('the bytes that are multiplied with can be looked up', async () => {
  const quantized = quantize(4);
  const [rows] = await runLayer(
    closedFormWeights({}),
    [integers([1, 2], [5, 0])],
    (scope, indices) => {
      const { op } = scope;
      const values = scope.table('W', 'uint8', [6, blocks, blockBytes(4)], () => quantized.values);
      const scales = scope.table('S', 'float32', [6, blocks, 1], () => bytesOf(quantized.scales));
      return op.GatherBlockQuantized(values, indices, scales, { blockSize });
    },
  );
  const restored = restore(quantized, 4);
  assert.deepEqual(rows?.shape, [1, 2, blocks, blockSize]);
  const row = (index: number) => restored.slice(index * inputDim, (index + 1) * inputDim);
  const padded = blocks * blockSize;
  const found = rows?.data ?? [];
  assertClose(found.slice(0, inputDim), row(5), 1e-6);
  assertClose(found.slice(padded, padded + inputDim), row(0), 1e-6);
});
