import type { Value } from '../onnx/graph.ts';
import type { Ops } from '../onnx/ops.ts';
import type { Scope } from '../onnx/scope.ts';
import { silu } from './activation.ts';
import { linear } from './linear.ts';

/** How a timestep steers one sub-layer; each [N, D]. */
export interface Modulation {
  shift: Value;
  scale: Value;
  gate: Value;
}

/**
 * Computes the modulations of a denoiser layer.
 *
 *   [β₁ γ₁ α₁ | β₂ γ₂ α₂ | β₃ γ₃ α₃] = W SiLU(t) + b
 *
 * for self-attention, cross-attention and feed-forward network: shift β, scale γ, gate α.
 *
 * Source: Peebles and Xie 2022 (arXiv:2212.09748), section 3.2, adaLN-Zero.
 * reference: lcm.nn.denoisers.lcm_denoiser.AdaLNModulator
 *
 * @param timestepEmbedding  t, [N, D]
 */
export function adaLnModulator(
  scope: Scope,
  modelDim: number,
  timestepEmbedding: Value,
): { selfAttn: Modulation; crossAttention: Modulation; ffn: Modulation } {
  const { op } = scope;
  const config = { inputDim: modelDim, outputDim: 9 * modelDim };
  const all = linear(scope.at('fc'), config, silu(op, timestepEmbedding)); // [N, 9 D]
  const [selfAttn, crossAttention, ffn] = op.Split(all, 3, { axis: 1 }).map((part) => {
    const [shift, scale, gate] = op.Split(part, 3, { axis: 1 });
    return { shift, scale, gate } as Modulation;
  }) as [Modulation, Modulation, Modulation];
  return { selfAttn, crossAttention, ffn };
}

/**
 * Applies shift and scale to a normalised input.
 *
 *   y = x ⊙ (1 + γ) + β
 *
 * @param x  [N, D]
 * @returns [N, D]
 */
export function modulate(op: Ops, { shift, scale }: Modulation, x: Value): Value {
  return op.Add(op.Mul(x, op.Add(scale, 1)), shift);
}
