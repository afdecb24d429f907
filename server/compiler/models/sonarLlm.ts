import type { LlamaConfig, SonarLlmConfig } from '../../model/config.ts';
import { silu } from '../nn/activation.ts';
import { attend, headShape, splitHeads } from '../nn/attention.ts';
import { type KeyValues, layerKeyValues, stackKeyValues } from '../nn/cache.ts';
import { linear, toRows } from '../nn/linear.ts';
import { rmsNorm } from '../nn/normalization.ts';
import {
  causalMask,
  llama3Frequencies,
  newPositions,
  rotaryFrequencies,
  rotaryPositions,
  type SequencePlace,
  sequencePlace,
} from '../nn/positions.ts';
import { CheckpointWeights } from '../onnx/checkpointWeights.ts';
import type { Dimension, Graph, Value } from '../onnx/graph.ts';
import type { Ops } from '../onnx/ops.ts';
import type { Scope } from '../onnx/scope.ts';
import type { WeightSource } from '../onnx/weights.ts';
import { type BuildOptions, openGraph } from './model.ts';

/*
 * SONAR-LLM: a Llama that reads sentence embeddings where others read tokens, between two linear
 * maps.
 *
 *   ŷ = reverse_proj(Llama(forward_proj(x)))
 *
 * Source: Dragunov et al. 2025 (arXiv:2508.05305). reference: FusionBrainLab/SONAR-LLM, and
 * transformers.models.llama.modeling_llama.LlamaModel with inputs_embeds.
 */

/**
 * Builds graph `lcm` of the manifest, on raw embeddings.
 *
 * It uses every key; the Llama's table of tokens is not among them.
 *
 * @throws WeightMismatchError when the checkpoint does not fit the configuration
 */
export function buildSonarLlm(
  { sonarEmbedDim, llama: config }: SonarLlmConfig,
  source: WeightSource,
  { precision }: BuildOptions,
): { lcm: Graph } {
  const { hiddenSize } = config;
  const weights = new CheckpointWeights(source);
  const { builder, scope } = openGraph('lcm', weights, precision);
  const { op } = scope;
  const project = (name: string, inputDim: number, outputDim: number, x: Value) =>
    linear(scope.at(name).at('linear'), { inputDim, outputDim }, x);

  const concepts = builder.input('sentence_embedding', 'float32', ['N', 'S', sonarEmbedDim]);
  const past = builder.input('past_key_values', 'float32', cacheShape(config, 'T'));
  const place = sequencePlace(op, concepts, past);

  const rows = op.Reshape(concepts, [-1, sonarEmbedDim]); // [N·S, E]
  const x = project('forward_proj', sonarEmbedDim, hiddenSize, rows); // [N·S, D]
  const { output, present } = llama(scope.at('llama_model').at('model'), config, x, {
    place,
    past,
  });
  const predicted = project('reverse_proj', hiddenSize, sonarEmbedDim, output); // [N·S, E]

  const embedDim = op.constant('int64', [sonarEmbedDim]);
  const shape = op.Concat([place.sequenceShape, embedDim], { axis: 0 });
  builder.output('next_embedding', op.Reshape(predicted, shape), ['N', 'S', sonarEmbedDim]);
  builder.output('present_key_values', present, cacheShape(config, 'T + S'));
  weights.assertAllUsed([]);
  return { lcm: builder.finish() };
}

/**
 * The Transformer of Llama 3.
 *
 * Source: Grattafiori et al. 2024 (arXiv:2407.21783), section 3.2. reference: LlamaModel
 *
 * @param x     [N·S, D]
 * @param past  [L, 2, N, H′, T, K], where H′ heads of keys and values serve all H
 * @returns output [N·S, D], present [L, 2, N, H′, T + S, K]
 */
function llama(
  scope: Scope,
  config: LlamaConfig,
  x: Value,
  { place, past }: { place: SequencePlace; past: Value },
): { output: Value; present: Value } {
  const { op } = scope;
  const attention = {
    place,
    mask: causalMask(op, place),
    rotate: rotary(scope, config, place),
  };

  let output = x;
  const present: KeyValues[] = [];
  for (let layerIndex = 0; layerIndex < config.numHiddenLayers; layerIndex++) {
    const layer = scope.at('layers').at(layerIndex);
    const keyValues = layerKeyValues(op, past, layerIndex);
    const result = llamaLayer(layer, config, output, { ...attention, past: keyValues });
    present.push(result);
    output = result.output;
  }
  return {
    output: norm(scope.at('norm'), config, output),
    present: stackKeyValues(op, present),
  };
}

interface LlamaAttentionInputs {
  place: SequencePlace;
  /** 0 or −∞, [S, T + S]. */
  mask: Value;
  rotate: (x: Value) => Value;
  /** [N, H′, T, K] */
  past: KeyValues;
}

/** x ← x + SA(norm(x)), x ← x + FFN(norm(x)). reference: LlamaDecoderLayer */
function llamaLayer(
  scope: Scope,
  config: LlamaConfig,
  x: Value,
  attention: LlamaAttentionInputs,
): KeyValues & { output: Value } {
  const { op } = scope;

  const normed = norm(scope.at('input_layernorm'), config, x);
  const attended = llamaAttention(scope.at('self_attn'), config, normed, attention);
  const h = op.Add(x, attended.output);

  const normedH = norm(scope.at('post_attention_layernorm'), config, h);
  return { ...attended, output: op.Add(h, llamaFeedForward(scope.at('mlp'), config, normedH)) };
}

/**
 * Self-attention whose heads need not add up to the model's dimension, and may share keys and
 * values.
 *
 * Source: Ainslie et al. 2023 (arXiv:2305.13245), section 2.2. reference: LlamaAttention
 *
 * @param x  [N·S, D]
 */
function llamaAttention(
  scope: Scope,
  { hiddenSize, numAttentionHeads, numKeyValueHeads, headDim }: LlamaConfig,
  x: Value,
  { place, mask, rotate, past }: LlamaAttentionInputs,
): KeyValues & { output: Value } {
  const { op } = scope;
  const rows = toRows(scope, x);
  const heads = (name: string, numAttnHeads: number) => {
    const modelDim = numAttnHeads * headDim;
    const dims = { inputDim: hiddenSize, outputDim: modelDim, hasBias: false };
    const shape = headShape(op, { modelDim, numAttnHeads }, place.sequenceShape);
    return splitHeads(op, linear(scope.at(name), dims, rows), shape);
  };

  const q = rotate(heads('q_proj', numAttentionHeads)); // [N, H, S, K]
  const newKeys = rotate(heads('k_proj', numKeyValueHeads)); // [N, H′, S, K]
  const newValues = heads('v_proj', numKeyValueHeads); // [N, H′, S, K]
  const keys = op.Concat([past.keys, newKeys], { axis: 2 }); // [N, H′, T + S, K]
  const values = op.Concat([past.values, newValues], { axis: 2 }); // [N, H′, T + S, K]

  const sharing = numAttentionHeads / numKeyValueHeads;
  const all = { keys: repeatHeads(op, keys, sharing), values: repeatHeads(op, values, sharing) };
  const modelDim = numAttentionHeads * headDim;
  const attended = attend(op, { modelDim, numAttnHeads: numAttentionHeads }, q, all, mask);
  const dims = { inputDim: modelDim, outputDim: hiddenSize, hasBias: false };
  return { output: linear(scope.at('o_proj'), dims, attended), keys, values };
}

/** Gives each of the heads that share keys a copy: [N, H′, T, K] → [N, H, T, K]. */
function repeatHeads(op: Ops, x: Value, count: number): Value {
  if (count === 1) return x;
  const apart = op.Unsqueeze(x, [2]); // [N, H′, 1, T, K]
  const copies = op.Concat(new Array<Value>(count).fill(apart), { axis: 2 }); // [N, H′, count, T, K]
  const size = (start: number, end: number) => op.Shape(x, { start, end });
  const heads = op.Mul(size(1, 2), count); // [1]
  return op.Reshape(copies, op.Concat([size(0, 1), heads, size(2, 4)], { axis: 0 }));
}

/**
 * Gated feed-forward network without biases.
 *
 *   FFN(x) = W₂ (SiLU(W_g x) ⊙ W₁ x)
 *
 * reference: LlamaMLP
 */
function llamaFeedForward(
  scope: Scope,
  { hiddenSize, intermediateSize }: LlamaConfig,
  x: Value,
): Value {
  const { op } = scope;
  const up = { inputDim: hiddenSize, outputDim: intermediateSize, hasBias: false };
  const down = { inputDim: intermediateSize, outputDim: hiddenSize, hasBias: false };

  const rows = toRows(scope, x);
  const gate = linear(scope.at('gate_proj'), up, rows); // [N·S, F]
  const inner = linear(scope.at('up_proj'), up, rows); // [N·S, F]
  return linear(scope.at('down_proj'), down, op.Mul(silu(op, gate), inner));
}

function norm(scope: Scope, { hiddenSize, rmsNormEps }: LlamaConfig, x: Value): Value {
  return rmsNorm(scope, { modelDim: hiddenSize, eps: rmsNormEps }, x);
}

function rotary(scope: Scope, config: LlamaConfig, place: SequencePlace): (x: Value) => Value {
  const { op } = scope;
  const { headDim, ropeTheta, ropeScaling, maxPositionEmbeddings: maxSeqLen } = config;
  const plain = rotaryFrequencies(headDim, ropeTheta);
  const frequencies = ropeScaling ? llama3Frequencies(plain, ropeScaling) : plain;
  const positionIds = op.Expand(newPositions(op, place), place.sequenceShape); // [N, S]
  return rotaryPositions(scope, { maxSeqLen, frequencies, interleaved: false }, positionIds);
}

/** Shape of the cache, where `length` is T or T + S. */
function cacheShape(
  { numHiddenLayers, numKeyValueHeads, headDim }: LlamaConfig,
  length: string,
): Dimension[] {
  return [numHiddenLayers, 2, 'N', numKeyValueHeads, length, headDim];
}
