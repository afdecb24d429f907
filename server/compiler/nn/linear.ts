import { blockSize, blocksPerRow, quantizeBlocks } from '../onnx/blockQuantize.ts';
import type { Value } from '../onnx/graph.ts';
import {
  multiplyQuantized,
  type QuantizedRows,
  quantizeReluRows,
  quantizeRows,
  quantizeWeight,
} from '../onnx/quantize.ts';
import { bytesOf, type Scope } from '../onnx/scope.ts';

/*
 * Affine maps, and the one place that knows what a precision means: how matrices are held, and
 * what their products want of activations. All else in a network is float32.
 */

export interface LinearConfig {
  /** D */
  inputDim: number;
  /** F */
  outputDim: number;
  hasBias?: boolean;
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
  { inputDim, outputDim, hasBias = true }: LinearConfig,
  x: Rows,
): Value {
  const { op, precision } = scope;
  const rows = toRows(scope, x);
  if (isQuantized(rows)) {
    const { values, scales } = byteWeight(scope, outputDim, inputDim);
    const product = multiplyQuantized(op, rows, values, scales); // [S, F]
    return hasBias ? op.Add(product, scope.weight('bias', [outputDim])) : product;
  }
  if (precision === 'int4') {
    const bias = hasBias ? scope.weight('bias', [outputDim]) : null;
    const { values, scales } = blockWeight(scope, outputDim, inputDim);
    return op.MatMulNBits(rows, values, scales, bias, { inputDim, outputDim, blockSize });
  }
  const type = precision === 'fp16' ? 'float16' : 'float32';
  const bias = hasBias ? scope.weight('bias', [outputDim], type) : null;
  const product = op.Gemm(rows, scope.weight('weight', [outputDim, inputDim], type), bias);
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

/** W in signed bytes: values [D, F], scales [F]. */
function byteWeight(
  scope: Scope,
  outputDim: number,
  inputDim: number,
): { values: Value; scales: Value } {
  const reader = scope.reader('weight', [outputDim, inputDim]);
  const [values, scales] = scope.weightGroup(
    [
      { name: 'weight.int8', type: 'int8', shape: [inputDim, outputDim] },
      { name: 'weight.scales', type: 'float32', shape: [outputDim] },
    ],
    () => {
      const quantized = quantizeWeight(reader.read(), outputDim, inputDim);
      return [bytesOf(quantized.values), bytesOf(quantized.scales)];
    },
  );
  return { values, scales };
}

/** W in four bits: values [F, blocks, blockSize / 2], scales [F, blocks]. */
function blockWeight(
  scope: Scope,
  outputDim: number,
  inputDim: number,
): { values: Value; scales: Value } {
  const reader = scope.reader('weight', [outputDim, inputDim]);
  const blocks = blocksPerRow(inputDim);
  const [values, scales] = scope.weightGroup(
    [
      { name: 'weight.int4', type: 'uint8', shape: [outputDim, blocks, blockSize / 2] },
      { name: 'weight.scales', type: 'float32', shape: [outputDim, blocks] },
    ],
    () => {
      const quantized = quantizeBlocks(reader.read(), inputDim);
      return [quantized.values, bytesOf(quantized.scales)];
    },
  );
  return { values, scales };
}
