import { concatenate } from '../../tensor/vector.ts';
import { type BlockBits, blockBytes, blocksPerRow, quantizeBlocks } from '../onnx/blockQuantize.ts';
import type { WeightReader } from '../onnx/checkpointWeights.ts';
import type { Value } from '../onnx/graph.ts';
import { quantizeWeight, quantizeWeightRows } from '../onnx/quantize.ts';
import { bytesOf, type Scope } from '../onnx/scope.ts';

/*
 * The forms in which a graph holds a large matrix W, [F, D]. They are made of some rows at a time,
 * so that a table of a gigabyte is never in memory as numbers. A form that is asked for twice at
 * one place of the model is held once.
 */

/** A matrix of the checkpoint, or several that are stacked. */
export interface Matrix {
  /** F */
  rowCount: number;
  /** D */
  rowSize: number;
  reader: WeightReader;
}

/** Quantized numbers and what to multiply them with. */
export interface Quantized {
  values: Value;
  scales: Value;
}

/** Numbers that are read at once: 16 MiB. */
export const numbersAtOnce = 1 << 22;

/** W in signed bytes, transposed as products want it: values [D, F], scales [F]. */
export function byteColumns(scope: Scope, matrix: Matrix): Quantized {
  const { rowCount, rowSize } = matrix;
  const [values, scales] = scope.weightGroup(
    [
      { name: 'weight.int8', type: 'int8', shape: [rowSize, rowCount] },
      { name: 'weight.scales', type: 'float32', shape: [rowCount] },
    ],
    () => {
      const quantized = quantizeWeight(rowParts(matrix), rowCount, rowSize);
      return [bytesOf(quantized.values), bytesOf(quantized.scales)];
    },
  );
  return { values, scales };
}

/** W in signed bytes, row by row as look-ups want it: values [F, D], scales [F]. */
export function byteRows(scope: Scope, matrix: Matrix): Quantized {
  const { rowCount, rowSize } = matrix;
  const [values, scales] = scope.weightGroup(
    [
      { name: 'weight.int8', type: 'int8', shape: [rowCount, rowSize] },
      { name: 'weight.scales', type: 'float32', shape: [rowCount] },
    ],
    () => {
      const quantized = quantizeWeightRows(rowParts(matrix), rowCount, rowSize);
      return [bytesOf(quantized.values), bytesOf(quantized.scales)];
    },
  );
  return { values, scales };
}

/** W in blocks: values [F, blocks, blockBytes], scales [F, blocks]. */
export function blocks(scope: Scope, matrix: Matrix, bits: BlockBits): Quantized {
  const { rowCount, rowSize } = matrix;
  const blockCount = blocksPerRow(rowSize);
  const [values, scales] = scope.weightGroup(
    [
      {
        name: `weight.blocks${bits}`,
        type: 'uint8',
        shape: [rowCount, blockCount, blockBytes(bits)],
      },
      { name: 'weight.scales', type: 'float32', shape: [rowCount, blockCount] },
    ],
    () => {
      const quantized = quantizeBlocks(rowParts(matrix), rowCount, rowSize, bits);
      return [quantized.values, bytesOf(quantized.scales)];
    },
  );
  return { values, scales };
}

/** W as numbers, [F, D]. */
export function numbers(scope: Scope, matrix: Matrix, type: 'float32' | 'float16'): Value {
  return scope.stored('weight', [matrix.rowCount, matrix.rowSize], matrix.reader, type);
}

/**
 * Stacks weights of equal shape, one below the other.
 *
 * @param rowCount  rows of each
 */
export function stackReaders(readers: readonly WeightReader[], rowCount: number): WeightReader {
  const readRows = (firstRow: number, count: number) =>
    concatenate(
      readers.flatMap((reader, index) => {
        const first = Math.max(firstRow - index * rowCount, 0);
        const last = Math.min(firstRow + count - index * rowCount, rowCount);
        return last > first ? [reader.readRows(first, last - first)] : [];
      }),
    );
  return {
    name: readers.map(({ name }) => name).join(', '),
    read: () => readRows(0, readers.length * rowCount),
    readRows,
  };
}

/** Reads some rows at a time, in order. */
function* rowParts({ rowCount, rowSize, reader }: Matrix): Generator<Float32Array> {
  const rowsAtOnce = Math.max(1, Math.floor(numbersAtOnce / rowSize));
  for (let first = 0; first < rowCount; first += rowsAtOnce) {
    yield reader.readRows(first, Math.min(rowsAtOnce, rowCount - first));
  }
}
