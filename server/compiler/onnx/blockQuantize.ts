/*
 * Weights in four or eight bits: every block of a row has a scale of its own.
 *
 *   W ≈ s_b (q − z),  q = 0 … 2z − 1,  z = 8 or 128
 *
 * The layout is that of MatMulNBits and of GatherBlockQuantized, so that a table which is looked
 * up and multiplied with is held once.
 *
 * Source: docs/ContribOperators.md of github.com/microsoft/onnxruntime, MatMulNBits.
 */

/** Numbers that share a scale. */
export const blockSize = 32;

/** Bits of a number. */
export type BlockBits = 4 | 8;

/** A matrix in blocks. */
export interface BlockQuantized {
  /** [F, blocks, blockBytes], with four bits two numbers a byte, the lower first. */
  values: Uint8Array;
  /** [F, blocks] */
  scales: Float32Array;
}

/** Returns how many blocks a row has; the last may be part of one. */
export function blocksPerRow(inputDim: number): number {
  return Math.ceil(inputDim / blockSize);
}

/** Returns how many bytes the numbers of a block take. */
export function blockBytes(bits: BlockBits): number {
  return (blockSize * bits) / 8;
}

/**
 * Quantizes a weight matrix, block by block.
 *
 *   s_b = m / −z for the number m of largest magnitude, which is met exactly
 *
 * @param parts      its rows in order, some at a time, [F, D] together; finite
 * @param outputDim  F
 * @param inputDim   D
 */
export function quantizeBlocks(
  parts: Iterable<Float32Array>,
  outputDim: number,
  inputDim: number,
  bits: BlockBits,
): BlockQuantized {
  const blockCount = blocksPerRow(inputDim);
  const values = new Uint8Array(outputDim * blockCount * blockBytes(bits));
  const scales = new Float32Array(outputDim * blockCount);
  let block = 0;
  for (const rows of parts) {
    for (let row = 0; row < rows.length; row += inputDim) {
      for (let start = row; start < row + inputDim; start += blockSize, block++) {
        const end = Math.min(start + blockSize, row + inputDim);
        scales[block] = largestOf(rows, start, end) / -zeroPoint(bits);
        const bytes = values.subarray(block * blockBytes(bits), (block + 1) * blockBytes(bits));
        pack(rows.subarray(start, end), scales[block] ?? 0, bits, bytes);
      }
    }
  }
  return { values, scales };
}

/** The number that stands for zero, where an operator is given none. */
function zeroPoint(bits: BlockBits): number {
  return 2 ** (bits - 1);
}

/** Writes the numbers of a block; what a short block lacks is zero. */
function pack(block: Float32Array, scale: number, bits: BlockBits, bytes: Uint8Array): void {
  const zero = zeroPoint(bits);
  const numbersPerByte = 8 / bits;
  for (let i = 0; i < blockSize; i++) {
    const value = i < block.length && scale !== 0 ? (block[i] as number) / scale : 0;
    const number = Math.min(Math.round(value) + zero, 2 * zero - 1);
    const byte = Math.floor(i / numbersPerByte);
    bytes[byte] = (bytes[byte] as number) | (number << (bits * (i % numbersPerByte)));
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
