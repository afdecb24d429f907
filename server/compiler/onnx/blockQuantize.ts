/*
 * Weights in four bits: every block of a row has a scale of its own.
 *
 *   W ≈ s_b (q − 8),  q = 0 … 15
 *
 * The layout is that of MatMulNBits and of GatherBlockQuantized, so that a table which is looked
 * up and multiplied with is held once.
 *
 * Source: docs/ContribOperators.md of github.com/microsoft/onnxruntime, MatMulNBits.
 */

/** Numbers that share a scale. */
export const blockSize = 32;
/** The number that stands for zero, where an operator is given none. */
const zeroPoint = 8;
const largestNumber = 15;

/** A matrix in four bits. */
export interface BlockQuantized {
  /** [F, blocks, blockSize / 2], two numbers a byte, the lower first. */
  values: Uint8Array;
  /** [F, blocks] */
  scales: Float32Array;
}

/** Returns how many blocks a row has; the last may be part of one. */
export function blocksPerRow(inputDim: number): number {
  return Math.ceil(inputDim / blockSize);
}

/**
 * Quantizes rows of a weight matrix.
 *
 *   s_b = m / −8 for the number m of largest magnitude, which is met exactly
 *
 * @param rows      [F, D], finite
 * @param inputDim  D
 */
export function quantizeBlocks(rows: Float32Array, inputDim: number): BlockQuantized {
  const blockCount = blocksPerRow(inputDim);
  const rowCount = rows.length / inputDim;
  const values = new Uint8Array((rowCount * blockCount * blockSize) / 2);
  const scales = new Float32Array(rowCount * blockCount);
  for (let block = 0; block < scales.length; block++) {
    const row = Math.floor(block / blockCount);
    const start = row * inputDim + (block % blockCount) * blockSize;
    const end = Math.min(start + blockSize, (row + 1) * inputDim);
    const scale = largestOf(rows, start, end) / -zeroPoint;
    scales[block] = scale;
    for (let i = 0; i < blockSize; i++) {
      const value = start + i < end && scale !== 0 ? (rows[start + i] as number) / scale : 0;
      const number = Math.min(Math.round(value) + zeroPoint, largestNumber);
      const byte = (block * blockSize + i) >> 1;
      values[byte] = (values[byte] as number) | (number << (4 * (i & 1)));
    }
  }
  return { values, scales };
}

/** Returns the number of largest magnitude, with its sign. */
function largestOf(values: Float32Array, start: number, end: number): number {
  let largest = 0;
  for (let i = start; i < end; i++) {
    const value = values[i] as number; // in range
    if (Math.abs(value) > Math.abs(largest)) largest = value;
  }
  return largest;
}
