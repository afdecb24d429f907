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
 * Quantizes a weight matrix, block by block.
 *
 *   s_b = m / −8 for the number m of largest magnitude, which is met exactly
 *
 * @param parts      its rows in order, some at a time, [F, D] together; finite
 * @param outputDim  F
 * @param inputDim   D
 */
export function quantizeBlocks(
  parts: Iterable<Float32Array>,
  outputDim: number,
  inputDim: number,
): BlockQuantized {
  const blockCount = blocksPerRow(inputDim);
  const values = new Uint8Array((outputDim * blockCount * blockSize) / 2);
  const scales = new Float32Array(outputDim * blockCount);
  let block = 0;
  for (const rows of parts) {
    for (let row = 0; row < rows.length; row += inputDim) {
      for (let start = row; start < row + inputDim; start += blockSize, block++) {
        const end = Math.min(start + blockSize, row + inputDim);
        scales[block] = largestOf(rows, start, end) / -zeroPoint;
        pack(rows.subarray(start, end), scales[block] ?? 0, values, (block * blockSize) / 2);
      }
    }
  }
  return { values, scales };
}

/** Writes the four bits of a block; what a short block lacks is zero. */
function pack(block: Float32Array, scale: number, values: Uint8Array, firstByte: number): void {
  for (let i = 0; i < blockSize; i++) {
    const value = i < block.length && scale !== 0 ? (block[i] as number) / scale : 0;
    const number = Math.min(Math.round(value) + zeroPoint, largestNumber);
    const byte = firstByte + (i >> 1);
    values[byte] = (values[byte] as number) | (number << (4 * (i & 1)));
  }
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
