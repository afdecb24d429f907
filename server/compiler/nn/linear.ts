import { type BlockBits, blockSize } from '../onnx/blockQuantize.ts';
import type { WeightReader } from '../onnx/checkpointWeights.ts';
import type { Value } from '../onnx/graph.ts';
import {
  multiplyQuantized,
  type QuantizedRows,
  quantizeReluRows,
  quantizeRows,
} from '../onnx/quantize.ts';
import type { Scope } from '../onnx/scope.ts';
import { blocks, byteColumns, type Matrix, numbers, stackReaders } from './matrix.ts';

/*
 * Affine maps: the one place, beside `matrix.ts` and `embedding.ts`, that knows what a precision
 * means. All else in a network is float32.
 */

export interface LinearConfig {
  /** D */
  inputDim: number;
  /** F */
  outputDim: number;
  hasBias?: boolean;
  /** Bits of a weight where the precision is int4: eight where rounding does most harm. */
  blockBits?: BlockBits;
}

/** Activations, [S, D], in the form that the precision's products want. */
export type Rows = Value | QuantizedRows;

/**
 * Affine map.
 *
 *   y = x Wᵀ + b
 *
 * @param x  [S, D]
 * @returns [S, F] float32
 */
export function linear(
  scope: Scope,
  { inputDim, outputDim, hasBias = true, blockBits }: LinearConfig,
  x: Rows,
): Value {
  const reader = scope.reader('weight', [outputDim, inputDim]);
  const bias = hasBias ? scope.reader('bias', [outputDim]) : null;
  return multiply(scope, { rowCount: outputDim, rowSize: inputDim, reader }, bias, x, blockBits);
}

/**
 * Affine maps of the same input as one product, which is faster than several.
 *
 *   y = [x W₁ᵀ + b₁ | x W₂ᵀ + b₂ | …]
 *
 * @param names  places of the maps, such as `q_proj`
 * @param x      [S, D]
 * @returns [S, names.length · F] float32
 */
export function stackedLinear(
  scope: Scope,
  names: readonly string[],
  { inputDim, outputDim, blockBits }: LinearConfig,
  x: Rows,
): Value {
  const stack = (name: string, shape: readonly number[]) =>
    stackReaders(
      names.map((place) => scope.at(place).reader(name, shape)),
      outputDim,
    );
  const matrix = {
    rowCount: names.length * outputDim,
    rowSize: inputDim,
    reader: stack('weight', [outputDim, inputDim]),
  };
  return multiply(scope.at(names.join('+')), matrix, stack('bias', [outputDim]), x, blockBits);
}

/**
 * x Wᵀ + b for a matrix from wherever.
 *
 * @param bias  b, [F], or null for 0
 * @param x     [S, D]
 * @returns [S, F] float32
 */
export function multiply(
  scope: Scope,
  matrix: Matrix,
  bias: WeightReader | null,
  x: Rows,
  blockBits: BlockBits = 4,
): Value {
  const { op, precision } = scope;
  const { rowCount: outputDim, rowSize: inputDim } = matrix;
  const type = precision === 'fp16' ? 'float16' : 'float32';
  const b = bias && scope.stored('bias', [outputDim], bias, type);
  const rows = toRows(scope, x);
  if (isQuantized(rows)) {
    const { values, scales } = byteColumns(scope, matrix);
    const product = multiplyQuantized(op, rows, values, scales); // [S, F]
    return b ? op.Add(product, b) : product;
  }
  if (precision === 'int4') {
    const { values, scales } = blocks(scope, matrix, blockBits);
    const shape = { inputDim, outputDim, blockSize, bits: blockBits };
    return op.MatMulNBits(rows, values, scales, b, shape);
  }
  const product = op.Gemm(rows, numbers(scope, matrix, type), b); // [S, F]
  return type === 'float32' ? product : op.Cast(product, 'float32');
}

/** Returns activations in the form that linear layers want, for layers that share their input. */
export function toRows(scope: Scope, x: Rows): Rows {
  if (isQuantized(x)) return x;
  if (scope.precision === 'int8') return quantizeRows(scope.op, x);
  return scope.precision === 'fp16' && x.type === 'float32' ? scope.op.Cast(x, 'float16') : x;
}

/** Returns relu(x) in the form that linear layers want. */
export function reluRows(scope: Scope, x: Value): Rows {
  return scope.precision === 'int8'
    ? quantizeReluRows(scope.op, x)
    : toRows(scope, scope.op.Relu(x));
}

function isQuantized(x: Rows): x is QuantizedRows {
  return 'values' in x;
}
