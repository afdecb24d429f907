import type { Value } from '../onnx/graph.ts';
import type { Scope } from '../onnx/scope.ts';
import { silu } from './activation.ts';
import { linear } from './linear.ts';

/** reference: DiTTimestepEncoder, frequency_embedding_size. */
const frequencyEmbeddingDim = 256;
/** reference: DiTTimestepEncoder, max_period. */
const maxPeriod = 10_000;

/**
 * Embeds diffusion timesteps.
 *
 *   e = [cos(t f₀) … cos(t f₁₂₇), sin(t f₀) … sin(t f₁₂₇)],  f_i = 10000^{−i / 128}
 *   E(t) = W₂ SiLU(W₁ e + b₁) + b₂
 *
 * Source: Peebles and Xie 2022 (arXiv:2212.09748), section 3.2.
 * reference: lcm.nn.timestep_encoder.DiTTimestepEncoder
 *
 * @param timestep  t, unscaled, [N] int64
 * @returns [N, D]
 */
export function timestepEmbedding(scope: Scope, modelDim: number, timestep: Value): Value {
  const { op } = scope;
  const half = frequencyEmbeddingDim / 2;
  const frequencies = Array.from({ length: half }, (_, index) => maxPeriod ** (-index / half));

  const t = op.Unsqueeze(op.Cast(timestep, 'float32'), [1]); // [N, 1]
  const angles = op.Mul(t, op.constant('float32', frequencies)); // [N, 128]
  const waves = op.Concat([op.Cos(angles), op.Sin(angles)], { axis: 1 }); // [N, 256]
  const inner = linear(
    scope.at('fc1'),
    { inputDim: frequencyEmbeddingDim, outputDim: modelDim },
    waves,
  );
  return linear(scope.at('fc2'), { inputDim: modelDim, outputDim: modelDim }, silu(op, inner));
}
