import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ByteSource } from '../../../../server/compiler/checkpoint/byteSource.ts';
import {
  contiguousStrides,
  readTensor,
  rowsOf,
  type StoredTensor,
} from '../../../../server/compiler/checkpoint/storedTensor.ts';
import { MemoryByteSource } from '../../../support/memoryByteSource.ts';
import { storeTensor } from '../../../support/safetensorsWriter.ts';

/** Numbers that differ and that float16 holds exactly. */
function countUp(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index % 2048);
}

/** The elements of a tensor, one at a time. */
function readByElement(elements: readonly number[], { shape, strides }: StoredTensor): number[] {
  const visit = (axis: number, number: number): number[] => {
    const size = shape[axis];
    if (size === undefined) return [elements[number] ?? Number.NaN];
    return Array.from({ length: size }, (_, index) =>
      visit(axis + 1, number + index * (strides[axis] ?? 0)),
    ).flat();
  };
  return visit(0, 0);
}

function check(elements: readonly number[], shape: number[], strides: number[]): void {
  for (const [type, stored] of [
    ['float32', 'F32'],
    ['float16', 'F16'],
  ] as const) {
    const source = new MemoryByteSource(storeTensor(stored, [elements.length], elements).bytes);
    const tensor: StoredTensor = { source, type, shape, strides, byteOffset: 0 };
    const expected = Float32Array.from(readByElement(elements, tensor));
    assert.deepEqual(readTensor(tensor), expected, `${type} [${shape}] by [${strides}]`);
    const numRows = shape[0] ?? 0;
    const rowSize = expected.length / numRows;
    for (const [first, count] of numRows > 1 ? [[1, numRows - 1] as const, [0, 1] as const] : []) {
      const rows = expected.subarray(first * rowSize, (first + count) * rowSize);
      assert.deepEqual(readTensor(rowsOf(tensor, first, count)), rows);
    }
  }
}

test('any strides give what reading one element at a time gives', () => {
  const elements = countUp(120);
  const views: readonly [number[], number[]][] = [
    [[120], [1]],
    [
      [10, 12],
      [12, 1],
    ],
    [
      [12, 10],
      [1, 12],
    ],
    [
      [4, 5, 6],
      [30, 6, 1],
    ],
    [
      [6, 5, 4],
      [1, 6, 30],
    ],
    [
      [5, 4, 6],
      [6, 30, 1],
    ],
    [
      [4, 6, 5],
      [30, 1, 6],
    ],
    [
      [2, 3, 4, 5],
      [60, 20, 5, 1],
    ],
    [
      [5, 2, 4, 3],
      [1, 60, 5, 20],
    ],
    [
      [10, 3],
      [12, 4],
    ],
    [
      [5, 6],
      [24, 2],
    ],
    [[9], [13]],
    [
      [3, 4],
      [0, 1],
    ],
    [
      [4, 3],
      [1, 0],
    ],
    [
      [3, 3],
      [0, 0],
    ],
    [
      [8, 5],
      [3, 7],
    ],
    [
      [1, 1, 7],
      [99, 5, 2],
    ],
    [[], []],
    [[1], [1]],
  ];
  for (const [shape, strides] of views) check(elements, shape, strides);
});

test('runs longer than a chunk and steps longer than those read over are joined', () => {
  const elements = countUp(140_001); // a chunk holds 131,072 of float16
  check(elements, [140_001], [1]);
  check(elements, [70_000], [2]);
  check(elements, [1400], [100]);
  check(elements, [1000, 50], [100, 2]);
});

test('random views give what reading one element at a time gives', () => {
  let state = 7;
  const next = (below: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 16) % below;
  };
  const elements = countUp(4000);
  for (let round = 0; round < 300; round += 1) {
    const shape = Array.from({ length: next(4) }, () => 1 + next(6));
    check(
      elements,
      shape,
      shape.map(() => next(200)),
    );
  }
});

/** Counts what is read of a source. */
class CountingSource implements ByteSource {
  readonly label = 'counting';
  readonly sizeBytes = 2 ** 40;
  numBytes = 0;

  read(_: number, target: Uint8Array): void {
    this.numBytes += target.length;
  }

  dispose(): void {}
}

test('no more of a file is read than the tensor covers', () => {
  const numBytes = (shape: number[], strides: number[]) => {
    const source = new CountingSource();
    readTensor({ source, type: 'float16', shape, strides, byteOffset: 0 });
    return source.numBytes;
  };
  assert.equal(numBytes([10, 1000], [1000, 1]), 20_000);
  assert.equal(numBytes([1000, 10], [1, 1000]), 20_000);
  assert.equal(numBytes([10, 10], [1_000_000_000, 1]), 200);
  assert.equal(numBytes([10], [1_000_000_000]), 20);
  assert.equal(numBytes([10], [2]), 38);
  assert.equal(numBytes([0, 10], [10, 1]), 0);
});

test('rows of a table of a terabyte are read alone', () => {
  const source = new CountingSource();
  const shape = [2 ** 30, 256];
  const tensor: StoredTensor = {
    source,
    type: 'float32',
    shape,
    strides: contiguousStrides(shape),
    byteOffset: 0,
  };
  assert.equal(readTensor(rowsOf(tensor, 2 ** 29, 3)).length, 3 * 256);
  assert.equal(source.numBytes, 3 * 256 * 4);
});
