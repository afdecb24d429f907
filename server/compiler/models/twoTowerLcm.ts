import type { TwoTowerLcmConfig } from '../../model/config.ts';
import { adaLnModulator, modulate } from '../nn/adaptiveNorm.ts';
import {
  attend,
  headShape,
  project,
  projectOutput,
  singlePositionAttention,
  splitHeads,
} from '../nn/attention.ts';
import { layerKeyValues, stackKeyValues } from '../nn/cache.ts';
import { toRows } from '../nn/linear.ts';
import { sequencePlace } from '../nn/positions.ts';
import { timestepEmbedding } from '../nn/timestepEmbedding.ts';
import { CheckpointWeights } from '../onnx/checkpointWeights.ts';
import type { Graph, Value } from '../onnx/graph.ts';
import type { Scope } from '../onnx/scope.ts';
import type { WeightSource } from '../onnx/weights.ts';
import { lcmFrontend } from './lcmFrontend.ts';
import {
  attentionConfig,
  cacheShape,
  ffn,
  type LcmTransformerConfig,
  lcmTransformer,
  normalize,
  requireTransformer,
} from './lcmTransformer.ts';
import { type BuildOptions, openGraph } from './model.ts';
import { projection } from './projection.ts';
import { normalizerKeys } from './sonarNormalizer.ts';
import { requireSupported } from './supported.ts';

/*
 * The Two-Tower diffusion LCM, cut in three by how often each part runs: the context tower once
 * per concept, the denoiser's keys and values once per context, the denoiser once per diffusion
 * step. Two reductions are exact: the denoiser's self-attention has a diagonal mask, so that it
 * is W_o (W_v x + b_v) + b_o; and without context all keys and values are biases, so that the
 * attended value is b_v.
 *
 * Source: Barrault et al. 2024 (arXiv:2412.08821), section 2.3.3.
 * reference: TwoTowerDiffusionLCModel, LCMDenoiser
 */

const leftAside = [
  // Queries and keys of an attention that sees a single position.
  /^denoiser\.layers\.\d+\.self_attn\.[qk]_proj\.(weight|bias)$/,
];

interface Parts {
  config: TwoTowerLcmConfig;
  contextEncoder: LcmTransformerConfig;
  denoiser: LcmTransformerConfig;
  weights: CheckpointWeights;
  options: BuildOptions;
}

/**
 * Builds graphs `context`, `crossAttention` and `denoiser` of the manifest.
 *
 * `context` uses `encoder_frontend.*` and `context_encoder.*`; `crossAttention` uses
 * `denoiser.layers.*.cross_attention.{k,v}_proj.*`; `denoiser` uses all other keys that are not
 * left aside. `readNormalizer` reads the normaliser's buffers.
 *
 * @throws WeightMismatchError when the checkpoint does not fit the configuration
 * @throws CheckpointUnsupportedError when the configuration asks for what we do not build
 */
export function buildTwoTowerLcm(
  config: TwoTowerLcmConfig,
  source: WeightSource,
  options: BuildOptions,
): { context: Graph; crossAttention: Graph; denoiser: Graph } {
  const { modelDim, maxSeqLen } = config;
  const contextEncoder = { ...config.contextEncoder, modelDim, maxSeqLen };
  const denoiser = { ...config.denoiser, modelDim, maxSeqLen };
  requireTransformer('context_encoder', contextEncoder);
  requireTransformer('denoiser', denoiser);
  requireSupported('denoiser.pos_embedding_style', denoiser.posEmbeddingStyle, ['none']);
  requireSupported('denoiser.final_norm_order_style', denoiser.finalNormOrderStyle, [null, 'pre']);
  requireSupported('denoiser.timestep_embed_dim', config.denoiser.timestepEmbedDim, [modelDim]);

  const weights = new CheckpointWeights(source);
  const parts: Parts = { config, contextEncoder, denoiser, weights, options };
  const graphs = {
    context: buildContext(parts),
    crossAttention: buildCrossAttention(parts),
    denoiser: buildDenoiser(parts),
  };
  const hasNormalizer = config.sonarNormalizerName !== null;
  weights.assertAllUsed(hasNormalizer ? [...leftAside, normalizerKeys] : leftAside);
  return graphs;
}

function buildContext({ config, contextEncoder, weights, options }: Parts): Graph {
  const { sonarEmbedDim, modelDim } = config;
  const { builder, scope } = openGraph('context', weights, options.precision);
  const { op } = scope;

  const concepts = builder.input('sentence_embedding', 'float32', ['N', 'S', sonarEmbedDim]);
  const past = builder.input('past_key_values', 'float32', cacheShape(contextEncoder, 'T'));
  const place = sequencePlace(op, concepts, past);

  const frontend = { ...config.frontend, sonarEmbedDim };
  const x = lcmFrontend(scope.at('encoder_frontend'), frontend, contextEncoder, concepts, place);
  const tower = scope.at('context_encoder');
  const { output, present } = lcmTransformer(tower, contextEncoder, x, { place, past });

  const shape = op.Concat([place.sequenceShape, op.constant('int64', [modelDim])], { axis: 0 });
  builder.output('encoder_hidden_states', op.Reshape(output, shape), ['N', 'S', modelDim]);
  builder.output('present_key_values', present, cacheShape(contextEncoder, 'T + S'));
  return builder.finish();
}

function buildCrossAttention({ config, denoiser, weights, options }: Parts): Graph {
  const { modelDim } = config;
  const { builder, scope } = openGraph('crossAttention', weights, options.precision);
  const { op } = scope;

  const context = builder.input('encoder_hidden_states', 'float32', ['N', 'T', modelDim]);
  const batch = op.Shape(context, { start: 0, end: 1 });
  const zero = op.Expand(
    op.constant('float32', 0),
    op.Concat([batch, op.constant('int64', [1, modelDim])], { axis: 0 }),
  ); // [N, 1, D]
  const conditioning = op.Concat([zero, context], { axis: 1 }); // [N, T + 1, D]
  const shape = headShape(op, denoiser, op.Shape(conditioning, { start: 0, end: 2 }));
  const rows = toRows(scope, op.Reshape(conditioning, [-1, modelDim])); // [N·(T + 1), D]

  const keyValues = denoiserLayers(scope, denoiser).map((layer) => {
    const attn = layer.at('cross_attention');
    const keys = splitHeads(op, project(attn.at('k_proj'), denoiser, rows), shape);
    const values = splitHeads(op, project(attn.at('v_proj'), denoiser, rows), shape);
    return { keys, values }; // [N, H, T + 1, K]
  });
  builder.output('cross_key_values', stackKeyValues(op, keyValues), cacheShape(denoiser, 'T + 1'));
  return builder.finish();
}

function buildDenoiser({ config, denoiser, weights, options }: Parts): Graph {
  const { sonarEmbedDim, modelDim } = config;
  const { numLayers, numAttnHeads } = denoiser;
  const { builder, scope } = openGraph('denoiser', weights, options.precision);
  const { op } = scope;
  const root = scope.at('denoiser');

  const latents = builder.input('latents', 'float32', ['N', sonarEmbedDim]);
  const timestep = builder.input('timestep', 'int64', ['N']);
  const isConditional = builder.input('is_conditional', 'float32', ['N']);
  const crossShape = [numLayers, 2, 1, numAttnHeads, 'T', modelDim / numAttnHeads];
  const crossKeyValues = builder.input('cross_key_values', 'float32', crossShape);

  // All rows look at one context, so that the batch takes the place of the sequence.
  const rowCount = op.Shape(latents, { start: 0, end: 1 });
  const rowShape = op.Concat([op.constant('int64', [1]), rowCount], { axis: 0 }); // [1, N]
  const cross: CrossAttentionInputs = {
    crossKeyValues,
    headShape: headShape(op, denoiser, rowShape),
    isConditional: op.Unsqueeze(op.Cast(isConditional, 'bool'), [1]), // [N, 1]
  };

  const emb = timestepEmbedding(root.at('embed_time'), modelDim, timestep); // [N, D]
  const { preDenoiser, postDenoiser } = config.denoiser;
  const widen = { inputDim: sonarEmbedDim, outputDim: modelDim };
  const narrow = { inputDim: modelDim, outputDim: sonarEmbedDim };
  let x = projection(root.at('initial_proj'), 'pre_denoiser', preDenoiser, widen, latents); // [N, D]
  for (const [layerIndex, layer] of denoiserLayers(scope, denoiser).entries()) {
    x = denoiserLayer(layer, denoiser, x, emb, { ...cross, layerIndex });
  }
  const normed = normalize(root.at('layer_norm'), denoiser, x);
  const predicted = projection(
    root.at('final_proj'),
    'post_denoiser',
    postDenoiser,
    narrow,
    normed,
  );
  builder.output('prediction', predicted, ['N', sonarEmbedDim]);
  return builder.finish();
}

interface CrossAttentionInputs {
  /** [L′, 2, 1, H, T, K] */
  crossKeyValues: Value;
  /** [1, N, H, K] as int64. */
  headShape: Value;
  /** [N, 1] bool */
  isConditional: Value;
}

/**
 * x ← x + α ⊙ f(norm(x) ⊙ (1 + γ) + β) for f = self-attention, cross-attention, FFN.
 *
 * reference: LCMDenoiserLayer
 */
function denoiserLayer(
  scope: Scope,
  config: LcmTransformerConfig,
  x: Value,
  timestep: Value,
  cross: CrossAttentionInputs & { layerIndex: number },
): Value {
  const { op } = scope;
  const { modelDim: inputDim } = config;
  const {
    selfAttn,
    crossAttention,
    ffn: ffnModulation,
  } = adaLnModulator(scope.at('modulator'), config.modelDim, timestep);

  const a = modulate(op, selfAttn, normalize(scope.at('self_attn_layer_norm'), config, x));
  const attention = { ...attentionConfig(config), inputDim };
  const attended = singlePositionAttention(scope.at('self_attn'), attention, a);
  const h = op.Add(x, op.Mul(selfAttn.gate, attended));

  const c = modulate(
    op,
    crossAttention,
    normalize(scope.at('cross_attention_layer_norm'), config, h),
  );
  const crossed = contextAttention(scope.at('cross_attention'), config, c, cross);
  const g = op.Add(h, op.Mul(crossAttention.gate, crossed));

  const f = modulate(op, ffnModulation, normalize(scope.at('ffn_layer_norm'), config, g));
  return op.Add(g, op.Mul(ffnModulation.gate, ffn(scope.at('ffn'), config, f)));
}

/** Attention to the context for conditional rows; for the others the bias of the values. */
function contextAttention(
  scope: Scope,
  config: LcmTransformerConfig,
  x: Value,
  inputs: CrossAttentionInputs & { layerIndex: number },
): Value {
  const { op } = scope;
  const q = splitHeads(op, project(scope.at('q_proj'), config, x), inputs.headShape); // [1, H, N, K]
  const keyValues = layerKeyValues(op, inputs.crossKeyValues, inputs.layerIndex); // [1, H, T, K]
  const attended = attend(op, config, q, keyValues, null); // [N, D]
  const unconditional = scope.at('v_proj').weight('bias', [config.modelDim]); // [D]
  const heads = op.Where(inputs.isConditional, attended, unconditional); // [N, D]
  return projectOutput(scope, attentionConfig(config), heads);
}

function denoiserLayers(scope: Scope, { numLayers }: LcmTransformerConfig): Scope[] {
  const layers = scope.at('denoiser').at('layers');
  return Array.from({ length: numLayers }, (_, layerIndex) => layers.at(layerIndex));
}
