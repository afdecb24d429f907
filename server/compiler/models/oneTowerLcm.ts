import type { OneTowerLcmConfig } from '../../model/config.ts';
import { timestepEmbedding } from '../nn/timestepEmbedding.ts';
import { CheckpointWeights } from '../onnx/checkpointWeights.ts';
import type { Graph } from '../onnx/graph.ts';
import type { WeightSource } from '../onnx/weights.ts';
import type { BuildOptions } from './model.ts';
import { buildSlotLcm } from './slotLcm.ts';
import { normalizerKeys } from './sonarNormalizer.ts';

/**
 * Builds graph `lcm` of the manifest for a One-Tower diffusion LCM: the slot holds noise, and
 * becomes the next concept while the timestep falls.
 *
 * It uses every key except the normaliser's buffers, which `readNormalizer` reads.
 *
 * Source: our reconstruction of LCM team 2024 (arXiv:2412.08821), section 2.3.2.
 *
 * @throws WeightMismatchError when the checkpoint does not fit the configuration
 * @throws CheckpointUnsupportedError when the configuration asks for what we do not build
 */
export function buildOneTowerLcm(
  config: OneTowerLcmConfig,
  source: WeightSource,
  options: BuildOptions,
): { lcm: Graph } {
  const weights = new CheckpointWeights(source);
  const lcm = buildSlotLcm(config, weights, options, {
    embedCondition: (scope, timestep) =>
      timestepEmbedding(scope.at('embed_time'), config.conditionDim, timestep),
    outputDim: config.sonarEmbedDim,
  });
  weights.assertAllUsed(config.sonarNormalizerName === null ? [] : [normalizerKeys]);
  return { lcm };
}
