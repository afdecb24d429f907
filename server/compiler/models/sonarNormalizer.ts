import type { ConceptModelConfig } from '../../model/config.ts';
import { CheckpointWeights } from '../onnx/checkpointWeights.ts';
import type { WeightSource } from '../onnx/weights.ts';

/** x̃ = (x − center) / scale; both [E]. */
export interface SonarNormalizer {
  center: Float32Array;
  scale: Float32Array;
}

/** The keys of the buffers, which no graph uses: sampling happens in normalised space. */
export const normalizerKeys = /^(frontend\.)?sonar_normalizer\.(center|scale)$/;

/**
 * Reads the normaliser that a concept model was trained with.
 *
 * Source: Barrault et al. 2024 (arXiv:2412.08821), equations 1 and 2.
 * reference: lcm.models.sonar_normalizer.SonarNormalizer
 *
 * @returns null when the configuration names none
 * @throws WeightMismatchError when a buffer is missing, of another length or not finite
 */
export function readNormalizer(
  source: WeightSource,
  { modelType, sonarNormalizerName, sonarEmbedDim }: ConceptModelConfig,
): SonarNormalizer | null {
  if (sonarNormalizerName === null) return null;
  const prefix = modelType === 'base_lcm' ? 'frontend.sonar_normalizer' : 'sonar_normalizer';
  const weights = new CheckpointWeights(source);
  const center = weights.use(`${prefix}.center`, [sonarEmbedDim]);
  const scale = weights.use(`${prefix}.scale`, [sonarEmbedDim]);
  return { center: center.read(), scale: scale.read() };
}
