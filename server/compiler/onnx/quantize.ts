import type { Value } from './graph.ts';
import type { Ops } from './ops.ts';

/*
 * int8 matrix products. Weights are quantized when the model is compiled, one scale per output
 * channel; activations while it runs, one scale per row. A row's result therefore depends on that
 * row alone, and neither on the batch nor on padding.
 *
 *   x ≈ s_x (q_x − 128),  W ≈ s_W q_W,   x Wᵀ ≈ s_x s_W · (q_x − 128) q_Wᵀ
 *
 * Source: Jacob et al. 2018 (arXiv:1712.05877), section 2.3; Dettmers et al. 2022
 * (arXiv:2208.07339), section 2, for one scale per row and per column.
 */

/** Signed bytes span −127 … 127, so that a weight and its negative quantize alike. */
const weightRange = 127;
/** Unsigned bytes around this zero point, because signed × unsigned is what processors multiply. */
const zeroPoint = 128;
const activationRange = 127;
/** Without negative numbers the whole byte is range. */
const reluRange = 255;
/** Rows that are transposed together, so that both sides stay in the cache. */
const blockRows = 64;
/** Below any activation that matters; keeps the scale of a row of zeros from being zero. */
const smallestActivation = 1e-20;

/** A weight matrix in signed bytes. */
export interface QuantizedWeight {
  /** [D, F], transposed, as MatMulInteger wants it, or [F, D]. */
  values: Int8Array;
  /** One scale per output channel, [F]. */
  scales: Float32Array;
}

/**
 * Quantizes a weight matrix, symmetrically and per output channel, and transposes it.
 *
 *   s_f = max_d |W_fd| / 127,   q_fd = round(W_fd / s_f)
 *
 * @param parts      its rows in order, some at a time, [F, D] together; finite
 * @param outputDim  F
 * @param inputDim   D
 */
export function quantizeWeight(
  parts: Iterable<Float32Array>,
  outputDim: number,
  inputDim: number,
): QuantizedWeight {
  const scales = new Float32Array(outputDim);
  const values = new Int8Array(outputDim * inputDim);
  let firstRow = 0;
  for (const rows of parts) {
    const rowCount = rows.length / inputDim;
    for (let f = 0; f < rowCount; f++) scales[firstRow + f] = rowScale(rows, f, inputDim);
    for (let first = 0; first < rowCount; first += blockRows) {
      const last = Math.min(first + blockRows, rowCount);
      for (let d = 0; d < inputDim; d++) {
        for (let f = first; f < last; f++) {
          values[d * outputDim + firstRow + f] = Math.round(
            (rows[f * inputDim + d] ?? 0) / (scales[firstRow + f] ?? 1),
          );
        }
      }
    }
    firstRow += rowCount;
  }
  return { values, scales };
}

/**
 * Quantizes a weight matrix as `quantizeWeight` does, and leaves its rows as they are: values
 * [F, D], scales [F].
 */
export function quantizeWeightRows(
  parts: Iterable<Float32Array>,
  outputDim: number,
  inputDim: number,
): QuantizedWeight {
  const scales = new Float32Array(outputDim);
  const values = new Int8Array(outputDim * inputDim);
  let start = 0;
  for (const rows of parts) {
    for (let f = 0; f < rows.length / inputDim; f++) {
      const scale = rowScale(rows, f, inputDim);
      scales[start / inputDim + f] = scale;
      for (let index = f * inputDim; index < (f + 1) * inputDim; index++) {
        values[start + index] = Math.round((rows[index] ?? 0) / scale);
      }
    }
    start += rows.length;
  }
  return { values, scales };
}

/** Returns max_d |W_fd| / 127 for one row, as float32; 1 for a row of zeros. */
function rowScale(rows: Float32Array, f: number, inputDim: number): number {
  let largest = 0;
  for (let index = f * inputDim; index < (f + 1) * inputDim; index++) {
    largest = Math.max(largest, Math.abs(rows[index] ?? 0));
  }
  return largest > 0 ? Math.fround(largest / weightRange) : 1;
}

/** Activations in unsigned bytes. */
export interface QuantizedRows {
  /** [S, D] uint8 */
  values: Value;
  /** One scale per row, [S, 1]. */
  scale: Value;
  zeroPoint: number;
}

/**
 * Quantizes activations, symmetrically and per row.
 *
 *   s = max_d |x_d| / 127,   q_d = round(x_d / s) + 128
 *
 * @param x  [S, D]
 */
export function quantizeRows(op: Ops, x: Value): QuantizedRows {
  const largest = op.ReduceMax(op.Abs(x), { axes: [1], keepdims: false }); // [S]
  const scale = op.Mul(op.Max(largest, smallestActivation), 1 / activationRange); // [S]
  const zeroPoints = op.Expand(
    op.constant('uint8', [zeroPoint]),
    op.Shape(scale, { start: 0, end: 1 }),
  ); // [S]
  const values = op.QuantizeLinear(x, scale, zeroPoints); // [S, D]
  return { values, scale: op.Unsqueeze(scale, [1]), zeroPoint };
}

/**
 * Quantizes relu(x) per row, without computing it: negative numbers saturate at zero.
 *
 *   s = max_d x_d / 255,   q_d = clamp(round(x_d / s), 0, 255)
 *
 * @param x  [S, D]
 */
export function quantizeReluRows(op: Ops, x: Value): QuantizedRows {
  const largest = op.ReduceMax(x, { axes: [1], keepdims: false }); // [S]
  const scale = op.Mul(op.Max(largest, smallestActivation), 1 / reluRange); // [S]
  const values = op.QuantizeLinear(x, scale, null); // [S, D]
  return { values, scale: op.Unsqueeze(scale, [1]), zeroPoint: 0 };
}

/**
 * Multiplies quantized rows with a quantized weight.
 *
 * @param x       [S, D]
 * @param weight  [D, F] int8
 * @param scales  [F]
 * @returns x Wᵀ, [S, F]
 */
export function multiplyQuantized(op: Ops, x: QuantizedRows, weight: Value, scales: Value): Value {
  const product = op.MatMulIntegerToFloat(x.values, weight, 1, scales, x.zeroPoint); // [S, F]
  return op.Mul(product, x.scale);
}
