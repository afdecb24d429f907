import type { EntropyModelConfig } from '../../model/config.ts';
import { type AttentionInputs, headShape, selfAttention } from '../nn/attention.ts';
import { embed } from '../nn/embedding.ts';
import { feedForward } from '../nn/feedForward.ts';
import { multiply } from '../nn/linear.ts';
import { logNormalizer } from '../nn/logProbs.ts';
import { layerNorm } from '../nn/normalization.ts';
import { causalMask, newPositions, rotaryFrequencies, rotaryPositions } from '../nn/positions.ts';
import { CheckpointWeights } from '../onnx/checkpointWeights.ts';
import type { Graph, Value } from '../onnx/graph.ts';
import type { Ops } from '../onnx/ops.ts';
import type { Scope } from '../onnx/scope.ts';
import type { WeightSource } from '../onnx/weights.ts';
import { type BuildOptions, openGraph } from './model.ts';
import { requireHeads } from './supported.ts';

/**
 * Builds graph `entropy` of the manifest: a causal Transformer over bytes, with one table for bytes
 * in and out, and the entropy of what it says. It uses every key.
 *
 * Source: Pagnoni et al. 2024 (arXiv:2412.09871), section 2.3. reference: training/entropy.py
 *
 * @throws WeightMismatchError when the checkpoint does not fit the configuration
 * @throws CheckpointUnsupportedError when the heads do not share the dimension evenly
 */
export function buildEntropyModel(
  config: EntropyModelConfig,
  source: WeightSource,
  { precision }: BuildOptions,
): Graph {
  const { modelDim, numAttnHeads, numLayers, vocabSize, maxSeqLen, ropeTheta } = config;
  requireHeads('num_attn_heads', numAttnHeads, modelDim);
  const weights = new CheckpointWeights(source);
  const { builder, scope } = openGraph('entropy', weights, precision);
  const { op } = scope;

  const inputIds = builder.input('input_ids', 'int64', ['N', 'S']);
  const sequenceShape = op.Shape(inputIds, { start: 0, end: 2 });
  const end = op.Shape(inputIds, { start: 1, end: 2 });
  const place = { sequenceShape, start: op.constant('int64', [0]), end };
  const frequencies = rotaryFrequencies(modelDim / numAttnHeads, ropeTheta);
  const positionIds = op.Expand(newPositions(op, place), sequenceShape); // [N, S]
  const rotary = { maxSeqLen, frequencies, interleaved: true };
  const attention = {
    headShape: headShape(op, { modelDim, numAttnHeads }, sequenceShape),
    mask: causalMask(op, place), // [S, S]
    rotate: rotaryPositions(scope, rotary, positionIds),
  };

  const embedding = scope.at('embed');
  const reader = embedding.reader('weight', [vocabSize, modelDim]);
  const table = { rowCount: vocabSize, rowSize: modelDim, reader };
  const embedded = embed(embedding, table, { isTied: true }, inputIds); // [N, S, D]
  let x = op.Reshape(op.Mul(embedded, Math.sqrt(modelDim)), [-1, modelDim]); // [N·S, D]
  const decoder = scope.at('decoder');
  for (let layerIndex = 0; layerIndex < numLayers; layerIndex++) {
    x = entropyLayer(decoder.at('layers').at(layerIndex), config, x, attention);
  }
  const states = layerNorm(decoder.at('layer_norm'), modelDim, x);
  const logits = multiply(embedding, table, null, states); // [N·S, V]
  builder.output('entropy', op.Reshape(entropy(op, logits), sequenceShape), ['N', 'S']);
  weights.assertAllUsed([]);
  return builder.finish();
}

/** x ← x + SA(LN(x)), x ← x + FFN(LN(x)). */
function entropyLayer(
  scope: Scope,
  { modelDim, numAttnHeads, ffnInnerDim: innerDim }: EntropyModelConfig,
  x: Value,
  attention: AttentionInputs,
): Value {
  const { op } = scope;

  const normed = layerNorm(scope.at('self_attn_layer_norm'), modelDim, x);
  const config = { modelDim, numAttnHeads };
  const h = op.Add(x, selfAttention(scope.at('self_attn'), config, normed, attention).output);

  const normedH = layerNorm(scope.at('ffn_layer_norm'), modelDim, h);
  return op.Add(h, feedForward(scope.at('ffn'), { modelDim, innerDim }, normedH));
}

/**
 * The entropy of each row in nats, without a logarithm of what may be 0.
 *
 *   H = − Σ_v p_v log p_v = − n − Σ_v p_v x_v,  log p_v = x_v + n
 *
 * @param x  logits, [N, V]
 * @returns [N, 1]
 */
function entropy(op: Ops, x: Value): Value {
  const expected = op.ReduceSum(op.Mul(op.Softmax(x), x), { axes: [1], keepdims: true });
  return op.Sub(op.Mul(logNormalizer(op, x), -1), expected);
}
