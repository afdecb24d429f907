import type { ProjectionConfig, TransformerConfig } from './config.ts';
import type { Fields } from './fields.ts';
import {
  diffusionTrainSteps,
  finiteNumbers,
  headCounts,
  innerDimensions,
  layerCounts,
  positiveNumbers,
  probabilities,
} from './limits.ts';
import type { NoiseSchedulerConfig } from './manifest.ts';
import { checkHeads } from './parseConfig.ts';

/*
 * The parts that configurations of large concept models are made of.
 */

/** reference: lcm.nn.normalization.SUPPORTED_LN_TYPES. */
const layerNormalizationStyles = ['standard', 'fp32', 'rms', 'unit'] as const;

/** Accepts what only matters in training, and nothing else. */
export function closeFrontend(fields: Fields): void {
  fields.ignore('dropout_p', 'pre_linear_init_fn', 'embedding_std');
  fields.close();
}

/** Parses a Transformer with positions of its own. */
export function parseTransformer(fields: Fields, modelDim: number): TransformerConfig {
  const config = parseTransformerFields(fields, modelDim, 'learned');
  fields.close();
  return config;
}

/** reference: TransformerConfig. */
export function parseTransformerFields(
  fields: Fields,
  modelDim: number,
  defaultPosEmbedding: 'learned' | 'none',
): TransformerConfig {
  const posEmbeddingStyles = ['rope', 'sine', 'learned', 'none'] as const;
  const config: TransformerConfig = {
    numLayers: fields.integer('num_layers', layerCounts, 2),
    numAttnHeads: fields.integer('num_attn_heads', headCounts, 8),
    ffnInnerDim: fields.integer('ffn_inner_dim', innerDimensions, 4096),
    useSwiglu: fields.boolean('use_swiglu', false),
    ffnInnerActivationName: fields.text('ffn_inner_activation_name', 'relu'),
    posEmbeddingStyle: fields.choice(
      'pos_embedding_style',
      posEmbeddingStyles,
      defaultPosEmbedding,
    ),
    ropeTheta: fields.number('rope_theta', positiveNumbers, 10_000),
    layerNormalizationStyle: fields.choice(
      'layer_normalization_style',
      layerNormalizationStyles,
      'standard',
    ),
    normOrderStyle: fields.choice('norm_order_style', ['pre'], 'pre'),
    finalNormOrderStyle: fields.orNull('final_norm_order_style', (key) =>
      fields.choice(key, ['pre', 'post']),
    ),
    enableQkLayernorm: fields.choice('enable_qk_layernorm', [false], false),
    mhaQkvWeightNormalization: fields.choice('mha_qkv_weight_normalization', [false], false),
    mhaOutputWeightNormalization: fields.choice('mha_output_weight_normalization', [false], false),
    mhaOutputProjBias: fields.boolean('mha_output_proj_bias', false),
    scaleResidual: fields.orNull('scale_residual', (key) => fields.number(key, finiteNumbers)),
  };
  checkHeads(fields, 'num_attn_heads', modelDim, config.numAttnHeads);
  if (config.posEmbeddingStyle === 'rope' && (modelDim / config.numAttnHeads) % 2 !== 0) {
    throw fields.malformed('num_attn_heads', 'heads of an even dimension, for rope');
  }
  fields.ignore('dropout_p', 'final_dropout_p', 'attention_dropout_p', 'attention_output_init_fn');
  return config;
}

/** reference: ProjectionConfig. */
export function parseProjection(fields: Fields): ProjectionConfig {
  const config = {
    linearBias: fields.boolean('linear_bias', true),
    weightNormalization: fields.choice('weight_normalization', [false], false),
    activationName: fields.orNull('activation_name', (key) => fields.text(key)),
  };
  fields.ignore('dropout_p', 'linear_init_fn', 'layer_normalization_style');
  fields.close();
  return config;
}

/** reference: DDIMSchedulerConfig. */
export function parseNoiseScheduler(fields: Fields): NoiseSchedulerConfig {
  const schedules = ['linear', 'scaled_linear', 'squaredcos_cap_v2', 'sigmoid'] as const;
  const config: NoiseSchedulerConfig = {
    numDiffusionTrainSteps: fields.integer('num_diffusion_train_steps', diffusionTrainSteps, 1000),
    betaStart: fields.number('beta_start', probabilities, 0.0001),
    betaEnd: fields.number('beta_end', probabilities, 0.02),
    betaSchedule: fields.choice('beta_schedule', schedules, 'squaredcos_cap_v2'),
    scaledLinearExponent: fields.number('scaled_linear_exponent', positiveNumbers, 2),
    sigmoidScheduleAlpha: fields.number('sigmoid_schedule_alpha', finiteNumbers, 1.5),
    sigmoidScheduleBeta: fields.number('sigmoid_schedule_beta', finiteNumbers, 0),
    clipSample: fields.boolean('clip_sample', false),
    clipSampleRange: fields.number('clip_sample_range', positiveNumbers, 1),
    setAlphaToOne: fields.boolean('set_alpha_to_one', true),
    predictionType: fields.choice(
      'prediction_type',
      ['sample', 'epsilon', 'v_prediction'],
      'sample',
    ),
    thresholding: fields.boolean('thresholding', false),
    dynamicThresholdingRatio: fields.number('dynamic_thresholding_ratio', probabilities, 0.995),
    sampleMaxValue: fields.number('sample_max_value', positiveNumbers, 1),
    rescaleBetasZeroSnr: fields.boolean('rescale_betas_zero_snr', true),
    timestepSpacing: fields.choice(
      'timestep_spacing',
      ['linspace', 'leading', 'trailing'],
      'trailing',
    ),
  };
  fields.close();
  return config;
}
