import type { Value } from '../onnx/graph.ts';
import { bytesOf, type Scope } from '../onnx/scope.ts';

/** reference: the default of fairseq2's LayerNorm and RMSNorm. */
const epsilon = 1e-5;

/**
 * Layer normalisation.
 *
 *   y = (x − mean(x)) / √(var(x) + ε) ⊙ w + b
 *
 * Source: Ba et al. 2016 (arXiv:1607.06450), section 3.
 *
 * @param x  [S, D]
 * @returns [S, D]
 */
export function layerNorm(scope: Scope, modelDim: number, x: Value): Value {
  const weight = scope.weight('weight', [modelDim]);
  const bias = scope.weight('bias', [modelDim]);
  return scope.op.LayerNormalization(x, weight, bias, { epsilon });
}

/**
 * Root-mean-square normalisation.
 *
 *   y = x / √(mean(x²) + ε) ⊙ w
 *
 * Source: Zhang and Sennrich 2019 (arXiv:1910.07467), equation 4.
 *
 * @param x  [S, D]
 * @returns [S, D]
 */
export function rmsNorm(
  scope: Scope,
  { modelDim, eps = epsilon }: { modelDim: number; eps?: number },
  x: Value,
): Value {
  const weight = scope.weight('weight', [modelDim]);
  return scope.op.RMSNormalization(x, weight, { epsilon: eps });
}

/**
 * The normalisations that Large Concept Models know by name.
 *
 * reference: lcm.nn.normalization.parse_layer_norm_factory
 */
export function normalization(
  scope: Scope,
  { modelDim, style }: { modelDim: number; style: 'standard' | 'fp32' | 'rms' | 'unit' },
  x: Value,
): Value {
  switch (style) {
    case 'standard':
      return layerNorm(scope, modelDim, x);
    case 'rms':
      return rmsNorm(scope, { modelDim }, x);
    case 'fp32':
      return scope.op.LayerNormalization(x, scope.weight('weight', [modelDim]), null, { epsilon });
    case 'unit': {
      const ones = () => bytesOf(new Float32Array(modelDim).fill(1));
      const weight = scope.table('ones', 'float32', [modelDim], ones);
      return scope.op.LayerNormalization(x, weight, null, { epsilon });
    }
  }
}
