import type { SonarDecoderConfig } from '../../model/config.ts';
import {
  type AttentionInputs,
  headShape,
  selfAttention,
  singlePositionAttention,
} from '../nn/attention.ts';
import { type KeyValues, layerKeyValues, stackKeyValues } from '../nn/cache.ts';
import { feedForward } from '../nn/feedForward.ts';
import { linear } from '../nn/linear.ts';
import { layerNorm } from '../nn/normalization.ts';
import { causalMask, sequencePlace } from '../nn/positions.ts';
import { CheckpointWeights } from '../onnx/checkpointWeights.ts';
import type { Graph, Value } from '../onnx/graph.ts';
import type { Scope } from '../onnx/scope.ts';
import type { WeightSource } from '../onnx/weights.ts';
import { type BuildOptions, openGraph } from './model.ts';
import { requireHeads, requireSupported } from './supported.ts';
import { tokenFrontend } from './tokenFrontend.ts';

/*
 * SONAR's text decoder, cut in two: what depends on the concept alone, and one step of decoding.
 * The decoder attends to a single position, the concept, so its cross-attention is a constant
 * per layer and concept, and what only feeds its queries and keys never matters.
 *
 * Source: Duquenne et al. 2023 (arXiv:2308.11466), section 4.1.
 * reference: SonarTextDecoderFactory, ConditionalTransformerDecoderModel
 */

const leftAside = [
  // Queries and keys of an attention over one position.
  /^decoder\.layers\.\d+\.encoder_decoder_attn_layer_norm\.(weight|bias)$/,
  /^decoder\.layers\.\d+\.encoder_decoder_attn\.[qk]_proj\.(weight|bias)$/,
];

/**
 * Builds graphs `prepare` and `step` of the manifest.
 *
 * `prepare` uses `encoder_decoder_attn.{v,output}_proj` and stays fp32, since it runs once per
 * concept and all meaning passes through it; `step` uses all other keys that are not left aside.
 *
 * @throws WeightMismatchError when the checkpoint does not fit the configuration
 * @throws CheckpointUnsupportedError when the configuration asks for what we do not build
 */
export function buildSonarDecoder(
  config: SonarDecoderConfig,
  source: WeightSource,
  { precision }: BuildOptions,
): { prepare: Graph; step: Graph } {
  requireHeads('num_decoder_attn_heads', config.numDecoderAttnHeads, config.modelDim);
  requireSupported('activation_fn', config.activationFn, ['ReLU']);
  const weights = new CheckpointWeights(source);
  const prepare = buildPrepare(config, weights);
  const step = buildStep(config, weights, { precision });
  weights.assertAllUsed(leftAside);
  return { prepare, step };
}

function buildPrepare(config: SonarDecoderConfig, weights: CheckpointWeights): Graph {
  const { modelDim, numDecoderLayers, numDecoderAttnHeads: numAttnHeads } = config;
  const inputDim = config.inputDim ?? modelDim;
  const { builder, scope } = openGraph('prepare', weights, 'fp32');
  const { op } = scope;

  const embedding = builder.input('sentence_embedding', 'float32', ['N', inputDim]);
  const constants = decoderLayers(scope, config).map((layer) => {
    const attn = layer.at('encoder_decoder_attn');
    return singlePositionAttention(attn, { modelDim, numAttnHeads, inputDim }, embedding); // [N, D]
  });
  const stacked = op.Concat(
    constants.map((constant) => op.Unsqueeze(constant, [1])),
    { axis: 1 },
  ); // [N, L, D]
  builder.output('encoder_hidden_states', stacked, ['N', numDecoderLayers, modelDim]);
  return builder.finish();
}

function buildStep(
  config: SonarDecoderConfig,
  weights: CheckpointWeights,
  { precision }: BuildOptions,
): Graph {
  const { modelDim, numDecoderLayers, numDecoderAttnHeads: numAttnHeads, vocabInfo } = config;
  const headDim = modelDim / numAttnHeads;
  const { builder, scope } = openGraph('step', weights, precision);
  const { op } = scope;

  const inputIds = builder.input('input_ids', 'int64', ['N', 'S']);
  const parents = builder.input('parents', 'int64', ['N']);
  const conceptShape = ['N', numDecoderLayers, modelDim];
  const concept = builder.input('encoder_hidden_states', 'float32', conceptShape);
  const cacheShape = [numDecoderLayers, 2, 'M', numAttnHeads, 'T', headDim];
  const past = builder.input('past_key_values', 'float32', cacheShape);
  const topCount = builder.input('top_count', 'int64', [1]);
  const temperature = builder.input('temperature', 'float32', [1]);

  const place = sequencePlace(op, inputIds, past);
  const attention = {
    headShape: headShape(op, { modelDim, numAttnHeads }, place.sequenceShape),
    mask: causalMask(op, place),
  };
  const modelShape = op.Concat([place.sequenceShape, op.constant('int64', [modelDim])], {
    axis: 0,
  });

  const frontend = scope.at('decoder_frontend');
  const tokenEmbedding = frontend.at('embed').weight('weight', [vocabInfo.size, modelDim]);
  let x = tokenFrontend(frontend, config, tokenEmbedding, inputIds, place); // [N·S, D]
  const present = decoderLayers(scope, config).map((layer, layerIndex) => {
    const keyValues = layerKeyValues(op, past, layerIndex, parents);
    const constant = op.Gather(concept, op.constant('int64', [layerIndex]), { axis: 1 }); // [N, 1, D]
    const addConstant = (h: Value) =>
      op.Reshape(op.Add(op.Reshape(h, modelShape), constant), [-1, modelDim]);
    const inputs = { ...attention, past: keyValues };
    const { output, keys, values } = decoderLayer(layer, config, x, addConstant, inputs);
    x = output;
    return { keys, values };
  });
  const last = op.Gather(op.Reshape(x, modelShape), -1, { axis: 1 }); // [N, D]
  const decoded = layerNorm(scope.at('decoder').at('layer_norm'), modelDim, last);

  // reference: TiedProjection; ports that untie the projection bring a weight of its own.
  const finalProj = scope.at('final_proj');
  const projection = finalProj.has('weight') ? finalProj : frontend.at('embed');
  const projectionConfig = { inputDim: modelDim, outputDim: vocabInfo.size, hasBias: false };
  const logits = linear(projection, projectionConfig, decoded); // [N, V]
  const logProbs = op.LogSoftmax(op.Div(logits, temperature)); // [N, V]
  const [topLogProbs, topTokens] = op.TopK(logProbs, topCount); // [N, k]
  const eosLogProb = op.Gather(logProbs, vocabInfo.eosIdx, { axis: 1 }); // [N]
  builder.output('log_probs', logProbs, ['N', vocabInfo.size]);
  builder.output('top_log_probs', topLogProbs, ['N', 'k']);
  builder.output('top_tokens', topTokens, ['N', 'k']);
  builder.output('eos_log_prob', eosLogProb, ['N']);
  const presentShape = [numDecoderLayers, 2, 'N', numAttnHeads, 'T + S', headDim];
  builder.output('present_key_values', stackKeyValues(op, present), presentShape);
  return builder.finish();
}

/** x ← x + SA(LN(x)), x ← x + c, x ← x + FFN(LN(x)), where c is the constant of the concept. */
function decoderLayer(
  scope: Scope,
  { modelDim, numDecoderAttnHeads: numAttnHeads, ffnInnerDim: innerDim }: SonarDecoderConfig,
  x: Value,
  addConstant: (h: Value) => Value,
  attention: AttentionInputs,
): KeyValues & { output: Value } {
  const { op } = scope;

  const normed = layerNorm(scope.at('self_attn_layer_norm'), modelDim, x);
  const selfAttn = scope.at('self_attn');
  const attended = selfAttention(selfAttn, { modelDim, numAttnHeads }, normed, attention);
  const h = addConstant(op.Add(x, attended.output));

  const normedH = layerNorm(scope.at('ffn_layer_norm'), modelDim, h);
  const output = op.Add(h, feedForward(scope.at('ffn'), { modelDim, innerDim }, normedH));
  return { ...attended, output };
}

function decoderLayers(scope: Scope, { numDecoderLayers }: SonarDecoderConfig): Scope[] {
  const layers = scope.at('decoder').at('layers');
  return Array.from({ length: numDecoderLayers }, (_, layerIndex) => layers.at(layerIndex));
}
