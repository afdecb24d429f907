import { combine, scale, standardDeviation } from '../../tensor/vector.ts';

/** How far a prediction is pushed away from the one without context. */
export interface Guidance {
  /** w; 1 means no guidance. */
  guidanceScale: number;
  /** φ, from 0, none, to 1, the deviation of ε_c. */
  guidanceRescale: number;
}

/**
 * Combines the predictions of noise with and without context.
 *
 *   ε̂ = ε_u + w (ε_c − ε_u), then multiplied by φ σ(ε_c) / σ(ε̂) + 1 − φ
 *
 * Source: Lin et al. 2023 (arXiv:2305.08891), algorithm 2;
 * reference: TwoTowerDiffusionLCModel.apply_classifier_free_guidance.
 *
 * @param conditional    ε_c, [E]
 * @param unconditional  ε_u, [E]
 * @returns [E]
 */
export function applyGuidance(
  conditional: Float32Array,
  unconditional: Float32Array,
  { guidanceScale, guidanceRescale }: Guidance,
): Float32Array {
  const guided = combine(guidanceScale, conditional, 1 - guidanceScale, unconditional);
  const ratio = standardDeviation(conditional) / standardDeviation(guided);
  return scale(guidanceRescale * ratio + (1 - guidanceRescale), guided);
}
