import type { SlotLcmConfig } from '../../model/config.ts';
import { sequencePlace } from '../nn/positions.ts';
import type { CheckpointWeights } from '../onnx/checkpointWeights.ts';
import type { Graph, Value } from '../onnx/graph.ts';
import type { Scope } from '../onnx/scope.ts';
import { lcmFrontend } from './lcmFrontend.ts';
import { cacheShape, lcmTransformer, requireTransformer } from './lcmTransformer.ts';
import { type BuildOptions, openGraph } from './model.ts';
import { projection } from './projection.ts';

/** In what One-Tower and Quant-LCM differ. */
export interface SlotFamily {
  /** Embeds how clean an input is: [N] int64 → [N, conditionDim]. */
  embedCondition: (scope: Scope, condition: Value) => Value;
  /** Numbers of a prediction. */
  outputDim: number;
}

/**
 * Builds graph `lcm` of the manifest for a tower over clean concepts and slots that are not clean
 * yet.
 *
 *   h₀[n] = W [x_n; e(c)] + b + P[n],  ŷ_n = postnet(Transformer(h₀)[n])
 *
 * The clean concepts run once, their keys and values are kept; then each step runs the slots
 * alone, one for each row, all with the position that follows the past.
 *
 * Source: our reconstruction of LCM team 2024 (arXiv:2412.08821), sections 2.3.2 and 2.3.4.
 *
 * @throws WeightMismatchError when the checkpoint does not fit the configuration
 * @throws CheckpointUnsupportedError when the configuration asks for what we do not build
 */
export function buildSlotLcm(
  config: SlotLcmConfig,
  weights: CheckpointWeights,
  { precision }: BuildOptions,
  { embedCondition, outputDim }: SlotFamily,
): Graph {
  const { sonarEmbedDim, modelDim, maxSeqLen, conditionDim } = config;
  const transformer = { ...config.lcm, modelDim, maxSeqLen };
  requireTransformer('lcm', transformer);
  const { builder, scope } = openGraph('lcm', weights, precision);
  const { op } = scope;

  const concepts = builder.input('sentence_embedding', 'float32', ['N', 'S', sonarEmbedDim]);
  const condition = builder.input('condition', 'int64', ['N']);
  const isConditional = builder.input('is_conditional', 'float32', ['N']);
  const past = builder.input('past_key_values', 'float32', cacheShape(transformer, 'T', 1));
  const place = sequencePlace(op, concepts, past);
  const shaped = (x: Value, lastDim: number) =>
    [x, op.Concat([place.sequenceShape, op.constant('int64', [lastDim])], { axis: 0 })] as const;

  const embedded = op.Unsqueeze(embedCondition(scope, condition), [1]); // [N, 1, C]
  const inputs = op.Concat([concepts, op.Expand(...shaped(embedded, conditionDim))], { axis: 2 });
  const frontend = { ...config.frontend, sonarEmbedDim: sonarEmbedDim + conditionDim };
  const x = lcmFrontend(scope.at('frontend'), frontend, transformer, inputs, place); // [N·S, D]

  const seesPast = op.Unsqueeze(op.Cast(isConditional, 'bool'), [1, 2, 3]); // [N, 1, 1, 1]
  const pastMask = op.Where(seesPast, op.constant('float32', 0), Number.NEGATIVE_INFINITY);
  const tower = lcmTransformer(scope.at('lcm'), transformer, x, { place, past, pastMask });
  const dims = { inputDim: modelDim, outputDim };
  const predicted = projection(scope.at('postnet'), 'postnet', config.postnet, dims, tower.output); // [N·S, outputDim]

  const prediction = op.Reshape(...shaped(predicted, outputDim));
  builder.output('prediction', prediction, ['N', 'S', outputDim]);
  builder.output('present_key_values', tower.present, cacheShape(transformer, 'T + S', 1));
  return builder.finish();
}
