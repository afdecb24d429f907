import type { SonarDecoderConfig } from '../../model/config.ts';
import { fusedSelfAttention, singlePositionAttention } from '../nn/attention.ts';
import type { KeyValues } from '../nn/cache.ts';
import { embed } from '../nn/embedding.ts';
import { feedForward } from '../nn/feedForward.ts';
import { multiply } from '../nn/linear.ts';
import { logNormalizer } from '../nn/logProbs.ts';
import { layerNorm } from '../nn/normalization.ts';
import { causalMask } from '../nn/positions.ts';
import { selectRows } from '../nn/selectRows.ts';
import { ancestorKeyValues, growPool } from '../nn/tokenCache.ts';
import { CheckpointWeights } from '../onnx/checkpointWeights.ts';
import type { Graph, Value } from '../onnx/graph.ts';
import type { Ops } from '../onnx/ops.ts';
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

/** How a decoder is to be compiled. */
export interface DecoderOptions extends BuildOptions {
  /** The ids of the tokens that `step` knows, ascending; null for all. */
  shortlist?: Int32Array | null;
}

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
  { precision, shortlist = null }: DecoderOptions,
): { prepare: Graph; step: Graph } {
  requireHeads('num_decoder_attn_heads', config.numDecoderAttnHeads, config.modelDim);
  requireSupported('activation_fn', config.activationFn, ['ReLU']);
  const weights = new CheckpointWeights(source);
  const prepare = buildPrepare(config, weights);
  const step = buildStep(config, weights, { precision, shortlist });
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
  { precision, shortlist = null }: DecoderOptions,
): Graph {
  const { modelDim, numDecoderLayers: numLayers } = config;
  const { builder, scope } = openGraph('step', weights, precision);
  const { op } = scope;

  const inputIds = builder.input('input_ids', 'int64', ['N', 'S']);
  const ancestors = builder.input('ancestors', 'int64', ['N', 'T']);
  const conceptShape = ['N', numLayers, modelDim];
  const concept = builder.input('encoder_hidden_states', 'float32', conceptShape);
  const pool = builder.input('past_key_values', 'float32', [numLayers, 2, 'P', modelDim]);
  const keptFrom = builder.input('kept_from', 'int64', [1]);
  const topCount = builder.input('top_count', 'int64', [1]);
  const temperature = builder.input('temperature', 'float32', [1]);
  const scoredTokens = builder.input('scored_tokens', 'int64', ['W']);

  const sequenceShape = op.Shape(inputIds, { start: 0, end: 2 });
  const start = op.Shape(ancestors, { start: 1, end: 2 });
  const end = op.Add(start, op.Shape(inputIds, { start: 1, end: 2 }));
  const place = { sequenceShape, start, end };
  const sequenceOf = (width: number) =>
    op.Concat([sequenceShape, op.constant('int64', [width])], { axis: 0 });
  const attention = {
    shape: sequenceOf(3 * modelDim),
    mask: op.Unsqueeze(causalMask(op, place), [0, 1]), // [1, 1, S, T + S]
  };
  const earlier = ancestorKeyValues(op, pool, ancestors, { numLayers, modelDim });
  const constants = layerConstants(op, concept, sequenceOf, config); // [N·S, D]

  const vocabulary = openVocabulary(scope, config, shortlist);
  const embedded = vocabulary.embed(inputIds); // [N, S, D]
  const frontend = scope.at('decoder_frontend');
  let x = tokenFrontend(frontend, config, embedded, place); // [N·S, D]
  const added = decoderLayers(scope, config).map((layer, layerIndex) => {
    const constant = constants[layerIndex] as Value;
    const inputs = { ...attention, earlier: earlier[layerIndex] as KeyValues };
    const { output, keys, values } = decoderLayer(layer, config, x, constant, inputs);
    x = output;
    return { keys, values };
  });
  const last = op.Gather(op.Reshape(x, sequenceOf(modelDim)), -1, { axis: 1 }); // [N, D]
  const decoded = layerNorm(scope.at('decoder').at('layer_norm'), modelDim, last);

  // Dividing D numbers by the temperature instead of V gives the same logits.
  const logits = vocabulary.project(op.Div(decoded, temperature)); // [N, V]
  const normalizer = logNormalizer(op, logits); // [N, 1]
  const [topLogits, topTokens] = op.TopK(logits, topCount); // [N, k]
  const scoredLogits = op.Gather(logits, scoredTokens, { axis: 1 }); // [N, W]
  builder.output('top_log_probs', op.Add(topLogits, normalizer), ['N', 'k']);
  builder.output('top_tokens', topTokens, ['N', 'k']);
  builder.output('scored_log_probs', op.Add(scoredLogits, normalizer), ['N', 'W']);
  const present = growPool(op, pool, keptFrom, added, modelDim);
  builder.output('present_key_values', present, [numLayers, 2, 'P − kept_from + N·S', modelDim]);
  return builder.finish();
}

/** The look-up of tokens and the projection to them, which share a matrix unless it is untied. */
function openVocabulary(
  scope: Scope,
  { modelDim, vocabInfo }: SonarDecoderConfig,
  shortlist: Int32Array | null,
): { embed(ids: Value): Value; project(x: Value): Value } {
  const at = (place: Scope) => {
    const reader = place.reader('weight', [vocabInfo.size, modelDim]);
    const whole = { rowCount: vocabInfo.size, rowSize: modelDim, reader };
    return shortlist === null ? whole : selectRows(whole, shortlist);
  };
  const embedding = scope.at('decoder_frontend').at('embed');
  // reference: TiedProjection; ports that untie the projection bring a weight of its own.
  const finalProj = scope.at('final_proj');
  const isTied = !finalProj.has('weight');
  const projection = isTied ? embedding : finalProj;
  return {
    embed: (ids) => embed(embedding, at(embedding), { isTied }, ids),
    project: (x) => multiply(projection, at(projection), null, x),
  };
}

/** The constants of cross-attention for every new token, L times [N·S, D]. */
function layerConstants(
  op: Ops,
  concept: Value,
  sequenceOf: (width: number) => Value,
  { modelDim, numDecoderLayers }: SonarDecoderConfig,
): Value[] {
  const width = numDecoderLayers * modelDim;
  const perSentence = op.Reshape(concept, [0, 1, width]); // [N, 1, L D]
  const perToken = op.Reshape(op.Expand(perSentence, sequenceOf(width)), [-1, width]); // [N·S, L D]
  return op.Split(perToken, numDecoderLayers, { axis: 1 });
}

/** x ← x + SA(LN(x)), x ← x + c, x ← x + FFN(LN(x)), where c is the constant of the concept. */
function decoderLayer(
  scope: Scope,
  { modelDim, numDecoderAttnHeads: numAttnHeads, ffnInnerDim: innerDim }: SonarDecoderConfig,
  x: Value,
  constant: Value,
  attention: Parameters<typeof fusedSelfAttention>[3],
): KeyValues & { output: Value } {
  const { op } = scope;

  const normed = layerNorm(scope.at('self_attn_layer_norm'), modelDim, x);
  const selfAttn = scope.at('self_attn');
  const attended = fusedSelfAttention(selfAttn, { modelDim, numAttnHeads }, normed, attention);
  const h = op.Add(op.Add(x, attended.output), constant);

  const normedH = layerNorm(scope.at('ffn_layer_norm'), modelDim, h);
  const output = op.Add(h, feedForward(scope.at('ffn'), { modelDim, innerDim }, normedH));
  return { ...attended, output };
}

function decoderLayers(scope: Scope, { numDecoderLayers }: SonarDecoderConfig): Scope[] {
  const layers = scope.at('decoder').at('layers');
  return Array.from({ length: numDecoderLayers }, (_, layerIndex) => layers.at(layerIndex));
}
