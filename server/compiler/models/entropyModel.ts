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
 * in and out, the entropy of what it says, and how surprised it is by what comes. It uses every key.
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
  const states = layerNorm(decoder.at('layer_norm'), modelDim, x); // [N·S, D]
  const logits = multiply(embedding, table, null, states); // [N·S, V]
  const normalizer = logNormalizer(op, logits); // [N·S, 1]
  const inRows = (values: Value) => op.Reshape(values, sequenceShape);
  builder.output('entropy', inRows(entropy(op, logits, normalizer)), ['N', 'S']);

  // The logit of the id that comes next is the product with its row of the table.
  const one = op.constant('int64', [1]);
  const ends = op.Slice(embedded, op.constant('int64', [0]), one, { axis: 1 }); // stands after the last
  const next = op.Concat([op.Slice(embedded, one, end, { axis: 1 }), ends], { axis: 1 }); // [N, S, D]
  const product = op.Mul(states, op.Reshape(next, [-1, modelDim]));
  const logit = op.ReduceSum(product, { axes: [1], keepdims: true }); // [N·S, 1]
  const surprisal = op.Mul(op.Add(logit, normalizer), -1);
  builder.output('surprisal', inRows(surprisal), ['N', 'S']);
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
 * @param x           logits, [N, V]
 * @param normalizer  n, [N, 1]
 * @returns [N, 1]
 */
function entropy(op: Ops, x: Value, normalizer: Value): Value {
  const expected = op.ReduceSum(op.Mul(op.Softmax(x), x), { axes: [1], keepdims: true });
  return op.Sub(op.Mul(normalizer, -1), expected);
}
