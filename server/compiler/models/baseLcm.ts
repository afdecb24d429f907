import type { BaseLcmConfig } from '../../model/config.ts';
import { sequencePlace } from '../nn/positions.ts';
import { CheckpointWeights } from '../onnx/checkpointWeights.ts';
import type { Graph } from '../onnx/graph.ts';
import type { WeightSource } from '../onnx/weights.ts';
import { lcmFrontend } from './lcmFrontend.ts';
import { cacheShape, lcmTransformer, requireTransformer } from './lcmTransformer.ts';
import { type BuildOptions, openGraph } from './model.ts';
import { projection } from './projection.ts';
import { normalizerKeys } from './sonarNormalizer.ts';
import { requireSupported } from './supported.ts';

/**
 * Builds graph `lcm` of the manifest: a causal Transformer that regresses the next concept.
 *
 *   ŷ = postnet(Transformer(pre_linear(x̃)))
 *
 * It uses every key except the normaliser's buffers, which `readNormalizer` reads.
 *
 * Source: Barrault et al. 2024 (arXiv:2412.08821), section 2.3.1. reference: BaseLCModel
 *
 * @throws WeightMismatchError when the checkpoint does not fit the configuration
 * @throws CheckpointUnsupportedError when the configuration asks for what we do not build
 */
export function buildBaseLcm(
  config: BaseLcmConfig,
  source: WeightSource,
  { precision }: BuildOptions,
): { lcm: Graph } {
  const { sonarEmbedDim, modelDim, maxSeqLen } = config;
  const transformer = { ...config.lcm, modelDim, maxSeqLen };
  requireTransformer('lcm', transformer);
  requireSupported('model_output_dim', config.modelOutputDim ?? sonarEmbedDim, [sonarEmbedDim]);
  const weights = new CheckpointWeights(source);
  const { builder, scope } = openGraph('lcm', weights, precision);
  const { op } = scope;

  const concepts = builder.input('sentence_embedding', 'float32', ['N', 'S', sonarEmbedDim]);
  const past = builder.input('past_key_values', 'float32', cacheShape(transformer, 'T'));
  const place = sequencePlace(op, concepts, past);

  const frontendConfig = { ...config.frontend, sonarEmbedDim };
  const x = lcmFrontend(scope.at('frontend'), frontendConfig, transformer, concepts, place); // [N·S, D]
  const { output, present } = lcmTransformer(scope.at('lcm'), transformer, x, { place, past });
  const dims = { inputDim: modelDim, outputDim: sonarEmbedDim };
  const predicted = projection(scope.at('postnet'), 'postnet', config.postnet, dims, output); // [N·S, E]

  const embedDim = op.constant('int64', [sonarEmbedDim]);
  const shape = op.Concat([place.sequenceShape, embedDim], { axis: 0 });
  builder.output('next_embedding', op.Reshape(predicted, shape), ['N', 'S', sonarEmbedDim]);
  builder.output('present_key_values', present, cacheShape(transformer, 'T + S'));
  weights.assertAllUsed(config.sonarNormalizerName === null ? [] : [normalizerKeys]);
  return { lcm: builder.finish() };
}
