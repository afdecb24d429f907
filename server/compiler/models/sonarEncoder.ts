import { encoderMaxSeqLen, type SonarEncoderConfig } from '../../model/config.ts';
import { fusedSelfAttention } from '../nn/attention.ts';
import { embed } from '../nn/embedding.ts';
import { feedForward } from '../nn/feedForward.ts';
import { layerNorm } from '../nn/normalization.ts';
import { pool } from '../nn/pooling.ts';
import { paddingMask } from '../nn/positions.ts';
import { CheckpointWeights } from '../onnx/checkpointWeights.ts';
import type { Graph, Value } from '../onnx/graph.ts';
import type { Scope } from '../onnx/scope.ts';
import type { WeightSource } from '../onnx/weights.ts';
import { type BuildOptions, openGraph } from './model.ts';
import { requireHeads, requireSupported } from './supported.ts';
import { tokenFrontend } from './tokenFrontend.ts';

/**
 * Builds graph `encoder` of the manifest: SONAR's text encoder with its pooling. It uses every
 * key of the checkpoint.
 *
 * Source: Duquenne et al. 2023 (arXiv:2308.11466), section 4.1.
 * reference: SonarTextEncoderFactory, SonarTextTransformerEncoderModel
 *
 * @throws WeightMismatchError when the checkpoint does not fit the configuration
 * @throws CheckpointUnsupportedError when the configuration asks for what we do not build
 */
export function buildSonarEncoder(
  config: SonarEncoderConfig,
  source: WeightSource,
  { precision }: BuildOptions,
): Graph {
  const { modelDim, vocabInfo, numEncoderAttnHeads: numAttnHeads, pooling } = config;
  requireHeads('num_encoder_attn_heads', numAttnHeads, modelDim);
  requireSupported('activation_fn', config.activationFn, ['ReLU']);
  requireSupported('pooling', pooling, ['mean', 'max', 'last']);
  const weights = new CheckpointWeights(source);
  const { builder, scope } = openGraph('encoder', weights, precision);
  const { op } = scope;

  const inputIds = builder.input('input_ids', 'int64', ['N', 'S']);
  const attentionMask = builder.input('attention_mask', 'int64', ['N', 'S']);
  const sequenceShape = op.Shape(inputIds, { start: 0, end: 2 });
  const sequenceOf = (width: number) =>
    op.Concat([sequenceShape, op.constant('int64', [width])], { axis: 0 });
  const length = op.Shape(inputIds, { start: 1, end: 2 });
  const maskShape = op.Concat([op.constant('int64', [1, 1]), length, length], { axis: 0 });
  const attention = {
    shape: sequenceOf(3 * modelDim),
    // The operator wants a row for every query.
    mask: op.Expand(paddingMask(op, attentionMask), maskShape), // [N, 1, S, S]
    earlier: null,
  };

  const frontend = scope.at('encoder_frontend');
  const embedding = frontend.at('embed');
  const matrix = {
    rowCount: vocabInfo.size,
    rowSize: modelDim,
    reader: embedding.reader('weight', [vocabInfo.size, modelDim]),
  };
  const embedded = embed(embedding, matrix, { isTied: false }, inputIds); // [N, S, D]
  const place = { start: op.constant('int64', [0]), end: length };
  const frontendConfig = { ...config, maxSeqLen: encoderMaxSeqLen(config) };
  let x = tokenFrontend(frontend, frontendConfig, embedded, place); // [N·S, D]
  for (let layerIndex = 0; layerIndex < config.numEncoderLayers; layerIndex++) {
    x = encoderLayer(scope.at('encoder').at('layers').at(layerIndex), config, x, attention);
  }
  if (config.normalizeBefore) x = layerNorm(scope.at('encoder').at('layer_norm'), modelDim, x);
  x = layerNorm(scope.at('layer_norm'), modelDim, x);

  const encoded = op.Reshape(x, sequenceOf(modelDim)); // [N, S, D]
  const sentenceEmbedding = pool(op, pooling, encoded, attentionMask); // [N, D]
  builder.output('sentence_embedding', sentenceEmbedding, ['N', modelDim]);
  weights.assertAllUsed([]);
  return builder.finish();
}

/** x ← x + SA(LN(x)), x ← x + FFN(LN(x)), whatever `normalizeBefore` says. */
function encoderLayer(
  scope: Scope,
  { modelDim, numEncoderAttnHeads: numAttnHeads, ffnInnerDim: innerDim }: SonarEncoderConfig,
  x: Value,
  attention: Parameters<typeof fusedSelfAttention>[3],
): Value {
  const { op } = scope;

  const normed = layerNorm(scope.at('self_attn_layer_norm'), modelDim, x);
  const selfAttn = scope.at('self_attn');
  const h = op.Add(
    x,
    fusedSelfAttention(selfAttn, { modelDim, numAttnHeads }, normed, attention).output,
  );

  const normedH = layerNorm(scope.at('ffn_layer_norm'), modelDim, h);
  return op.Add(h, feedForward(scope.at('ffn'), { modelDim, innerDim }, normedH));
}
