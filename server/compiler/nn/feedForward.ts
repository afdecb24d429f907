import type { Value } from '../onnx/graph.ts';
import type { Scope } from '../onnx/scope.ts';
import { silu } from './activation.ts';
import { linear, reluRows, toRows } from './linear.ts';

export interface FeedForwardConfig {
  /** D */
  modelDim: number;
  /** F */
  innerDim: number;
}

/**
 * Feed-forward network.
 *
 *   FFN(x) = W₂ relu(W₁ x + b₁) + b₂
 *
 * Source: Vaswani et al. 2017 (arXiv:1706.03762), equation 2.
 *
 * @param x  [S, D]
 * @returns [S, D]
 */
export function feedForward(
  scope: Scope,
  { modelDim, innerDim }: FeedForwardConfig,
  x: Value,
): Value {
  const innerProj = { inputDim: modelDim, outputDim: innerDim };
  const outputProj = { inputDim: innerDim, outputDim: modelDim };

  const inner = linear(scope.at('inner_proj'), innerProj, x); // [S, F]
  return linear(scope.at('output_proj'), outputProj, reluRows(scope, inner));
}

/**
 * Gated feed-forward network.
 *
 *   FFN(x) = W₂ (SiLU(W_g x + b_g) ⊙ (W₁ x + b₁)) + b₂
 *
 * Source: Shazeer 2020 (arXiv:2002.05202), equation 6.
 *
 * @param x  [S, D]
 * @returns [S, D]
 */
export function swigluFeedForward(
  scope: Scope,
  { modelDim, innerDim }: FeedForwardConfig,
  x: Value,
): Value {
  const { op } = scope;
  const innerProj = { inputDim: modelDim, outputDim: innerDim };
  const outputProj = { inputDim: innerDim, outputDim: modelDim };

  const rows = toRows(scope, x);
  const gate = linear(scope.at('gate_proj'), innerProj, rows); // [S, F]
  const inner = linear(scope.at('inner_proj'), innerProj, rows); // [S, F]
  return linear(scope.at('output_proj'), outputProj, op.Mul(silu(op, gate), inner));
}
