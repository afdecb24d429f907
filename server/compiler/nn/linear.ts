import type { Value } from '../onnx/graph.ts';
import {
  multiplyQuantized,
  type QuantizedRows,
  quantizeRows,
  quantizeWeight,
} from '../onnx/quantize.ts';
import { bytesOf, type Scope } from '../onnx/scope.ts';

export interface LinearConfig {
  /** D */
  inputDim: number;
  /** F */
  outputDim: number;
  hasBias?: boolean;
}

/** Activations, [S, D], as numbers or as signed bytes. */
export type Rows = Value | QuantizedRows;

/**
 * Affine map.
 *
 *   y = x Wᵀ + b
 *
 * @param x  [S, D]
 * @returns [S, F]
 */
export function linear(
  scope: Scope,
  { inputDim, outputDim, hasBias = true }: LinearConfig,
  x: Rows,
): Value {
  const { op } = scope;
  const bias = hasBias ? scope.weight('bias', [outputDim]) : null;

  const rows = toRows(scope, x);
  if (!isQuantized(rows)) return op.Gemm(rows, scope.weight('weight', [outputDim, inputDim]), bias);

  const [weight, scales] = quantizedWeight(scope, outputDim, inputDim);
  const product = multiplyQuantized(op, rows, weight, scales); // [S, F]
  return bias ? op.Add(product, bias) : product;
}

/** Returns activations in the form that linear layers want, for layers that share their input. */
export function toRows(scope: Scope, x: Rows): Rows {
  return scope.precision === 'int8' && !isQuantized(x) ? quantizeRows(scope.op, x) : x;
}

function isQuantized(x: Rows): x is QuantizedRows {
  return 'values' in x;
}

function quantizedWeight(scope: Scope, outputDim: number, inputDim: number): [Value, Value] {
  const reader = scope.reader('weight', [outputDim, inputDim]);
  const [weight, scales] = scope.weightGroup(
    [
      { name: 'weight.int8', type: 'int8', shape: [inputDim, outputDim] },
      { name: 'weight.scales', type: 'float32', shape: [outputDim] },
    ],
    () => {
      const quantized = quantizeWeight(reader.read(), outputDim, inputDim);
      return [bytesOf(quantized.values), bytesOf(quantized.scales)];
    },
  );
  return [weight, scales];
}
