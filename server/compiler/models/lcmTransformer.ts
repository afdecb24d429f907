import { ffnDim, type TransformerConfig } from '../../model/config.ts';
import { type AttentionInputs, headShape, selfAttention } from '../nn/attention.ts';
import { type KeyValues, layerKeyValues, stackKeyValues } from '../nn/cache.ts';
import { feedForward, swigluFeedForward } from '../nn/feedForward.ts';
import { normalization } from '../nn/normalization.ts';
import {
  causalMask,
  newPositions,
  rotaryFrequencies,
  rotaryPositions,
  type SequencePlace,
} from '../nn/positions.ts';
import type { Dimension, Value } from '../onnx/graph.ts';
import type { Scope } from '../onnx/scope.ts';
import { requireHeads, requireSupported } from './supported.ts';

/** A TransformerConfig with what it takes from its model. */
export interface LcmTransformerConfig extends TransformerConfig {
  modelDim: number;
  maxSeqLen: number;
}

/**
 * The causal Transformer that is the whole of a Base-LCM, a One-Tower and a Quant-LCM, and the
 * context tower of a Two-Tower.
 *
 * Source: Barrault et al. 2024 (arXiv:2412.08821), section 2.3.
 * reference: LCMTransformerDecoder
 *
 * @param x         [N·S, D]
 * @param past      [L, 2, N, H, T, K]
 * @param pastMask  says that all rows share the past of one; see `AttentionInputs`
 * @returns output [N·S, D], present [L, 2, N, H, T + S, K]
 */
export function lcmTransformer(
  scope: Scope,
  config: LcmTransformerConfig,
  x: Value,
  { place, past, pastMask }: { place: SequencePlace; past: Value; pastMask?: Value },
): { output: Value; present: Value } {
  const { op } = scope;
  const rotate = rotary(scope, config, place);
  const mask = causalMask(op, place); // [S, T + S]
  const attention: AttentionInputs = {
    headShape: headShape(op, config, place.sequenceShape),
    mask: pastMask ? op.Slice(mask, place.start, place.end, { axis: 1 }) : mask,
    ...(pastMask && { pastMask }),
    ...(rotate && { rotate }),
  };

  let output = x;
  const present: KeyValues[] = [];
  for (let layerIndex = 0; layerIndex < config.numLayers; layerIndex++) {
    const layer = scope.at('layers').at(layerIndex);
    const keyValues = layerKeyValues(op, past, layerIndex);
    const result = lcmLayer(layer, config, output, { ...attention, past: keyValues });
    present.push(result);
    output = result.output;
  }
  const finalNormOrder = config.finalNormOrderStyle ?? config.normOrderStyle;
  if (finalNormOrder !== 'post') output = normalize(scope.at('layer_norm'), config, output);
  return { output, present: stackKeyValues(op, present) };
}

/** x ← x + SA(norm(x)), x ← x + FFN(norm(x)). */
function lcmLayer(
  scope: Scope,
  config: LcmTransformerConfig,
  x: Value,
  attention: AttentionInputs,
): KeyValues & { output: Value } {
  const { op } = scope;

  const normed = normalize(scope.at('self_attn_layer_norm'), config, x);
  const attended = selfAttention(scope.at('self_attn'), attentionConfig(config), normed, attention);
  const h = op.Add(x, attended.output);

  const normedH = normalize(scope.at('ffn_layer_norm'), config, h);
  return { ...attended, output: op.Add(h, ffn(scope.at('ffn'), config, normedH)) };
}

/** Heads and biases of the attention that a TransformerConfig describes. */
export function attentionConfig({
  modelDim,
  numAttnHeads,
  mhaOutputProjBias,
}: LcmTransformerConfig): { modelDim: number; numAttnHeads: number; hasOutputBias: boolean } {
  return { modelDim, numAttnHeads, hasOutputBias: mhaOutputProjBias };
}

/** The normalisation that a TransformerConfig describes, [S, D] → [S, D]. */
export function normalize(
  scope: Scope,
  { modelDim, layerNormalizationStyle: style }: LcmTransformerConfig,
  x: Value,
): Value {
  return normalization(scope, { modelDim, style }, x);
}

/** The feed-forward network that a TransformerConfig describes, [S, D] → [S, D]. */
export function ffn(scope: Scope, config: LcmTransformerConfig, x: Value): Value {
  const dims = { modelDim: config.modelDim, innerDim: ffnDim(config) };
  return config.useSwiglu ? swigluFeedForward(scope, dims, x) : feedForward(scope, dims, x);
}

/** Shape of the cache of a tower, where `length` is T or T + S. */
export function cacheShape(
  { numLayers, numAttnHeads, modelDim }: LcmTransformerConfig,
  length: string,
  rows: Dimension = 'N',
): Dimension[] {
  return [numLayers, 2, rows, numAttnHeads, length, modelDim / numAttnHeads];
}

/**
 * Checks what both towers and the denoiser share.
 *
 * @param field  name of the configuration in the reference's model, such as `context_encoder`
 * @throws CheckpointUnsupportedError when it asks for what we do not build
 */
export function requireTransformer(field: string, config: LcmTransformerConfig): void {
  const at = (name: string) => `${field}.${name}`;
  requireHeads(at('num_attn_heads'), config.numAttnHeads, config.modelDim);
  requireSupported(at('norm_order_style'), config.normOrderStyle, ['pre']);
  requireSupported(at('final_norm_order_style'), config.finalNormOrderStyle, [null, 'pre', 'post']);
  requireSupported(at('enable_qk_layernorm'), config.enableQkLayernorm, [false]);
  requireSupported(at('mha_qkv_weight_normalization'), config.mhaQkvWeightNormalization, [false]);
  requireSupported(at('mha_output_weight_normalization'), config.mhaOutputWeightNormalization, [
    false,
  ]);
  requireSupported(at('scale_residual'), config.scaleResidual, [null]);
  if (!config.useSwiglu) {
    requireSupported(at('ffn_inner_activation_name'), config.ffnInnerActivationName, ['relu']);
  }
}

function rotary(
  scope: Scope,
  { posEmbeddingStyle, maxSeqLen, modelDim, numAttnHeads, ropeTheta: theta }: LcmTransformerConfig,
  place: SequencePlace,
): ((x: Value) => Value) | null {
  if (posEmbeddingStyle !== 'rope') return null;
  const { op } = scope;
  const positionIds = op.Expand(newPositions(op, place), place.sequenceShape); // [N, S]
  const frequencies = rotaryFrequencies(modelDim / numAttnHeads, theta);
  return rotaryPositions(scope, { maxSeqLen, frequencies, interleaved: true }, positionIds);
}
