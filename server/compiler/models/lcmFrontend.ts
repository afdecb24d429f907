import { linear } from '../nn/linear.ts';
import type { SequencePlace } from '../nn/positions.ts';
import type { Value } from '../onnx/graph.ts';
import type { Scope } from '../onnx/scope.ts';
import type { LcmTransformerConfig } from './lcmTransformer.ts';
import { requireSupported } from './supported.ts';

/** The part of both front-end configurations that matters. */
export interface LcmFrontend {
  sonarEmbedDim: number;
  preLinearBias: boolean;
  scaleEmbeddings?: boolean;
  weightNormalization: boolean;
}

/**
 * Concepts into the model's own dimension.
 *
 *   h₀[t] = W x_t + b (+ P[t] with learned positions)
 *
 * reference: LCMFrontend, EncoderFrontend
 *
 * @param x  normalised concepts, [N, S, E]
 * @returns [N·S, D]
 * @throws CheckpointUnsupportedError when the configuration asks for what we do not build
 */
export function lcmFrontend(
  scope: Scope,
  frontend: LcmFrontend,
  { modelDim, maxSeqLen, posEmbeddingStyle }: LcmTransformerConfig,
  x: Value,
  place: SequencePlace,
): Value {
  requireSupported('frontend.weight_normalization', frontend.weightNormalization, [false]);
  requireSupported('pos_embedding_style', posEmbeddingStyle, ['rope', 'learned', 'none']);
  const { op } = scope;
  const { sonarEmbedDim, preLinearBias: hasBias, scaleEmbeddings = false } = frontend;

  const rows = op.Reshape(x, [-1, sonarEmbedDim]); // [N·S, E]
  const scaled = scaleEmbeddings ? op.Mul(rows, Math.sqrt(modelDim)) : rows;
  const config = { inputDim: sonarEmbedDim, outputDim: modelDim, hasBias };
  const projected = linear(scope.at('pre_linear'), config, scaled); // [N·S, D]
  if (posEmbeddingStyle !== 'learned') return projected;

  const table = scope.at('pos_encoder').weight('weight', [maxSeqLen, modelDim]);
  const positions = op.Slice(table, place.start, place.end, { axis: 0 }); // [S, D]
  const shape = op.Concat([place.sequenceShape, op.constant('int64', [modelDim])], { axis: 0 });
  return op.Reshape(op.Add(op.Reshape(projected, shape), positions), [-1, modelDim]);
}
