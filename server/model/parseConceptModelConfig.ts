import { CheckpointUnsupportedError } from '../base/errors.ts';
import { conceptModelArchitectures } from './architectures.ts';
import type {
  BaseLcmConfig,
  ConceptModelConfig,
  DenoiserConfig,
  ProjectionConfig,
  TransformerConfig,
  TwoTowerLcmConfig,
} from './config.ts';
import type { Fields } from './fields.ts';
import {
  diffusionTrainSteps,
  dimensions,
  finiteNumbers,
  headCounts,
  innerDimensions,
  layerCounts,
  positiveNumbers,
  probabilities,
  sequenceLengths,
} from './limits.ts';
import type { NoiseSchedulerConfig } from './manifest.ts';
import { checkHeads, withArchitecture } from './parseConfig.ts';
import { lcmGeneration, parseGeneration } from './parseGeneration.ts';
import { parseSonarLlm } from './parseSonarLlmConfig.ts';

/*
 * The configuration of a concept model. What a configuration may leave out, the names of the
 * weights tell: the family, and whether there is a normaliser.
 */

type ModelType = ConceptModelConfig['modelType'];

const modelTypes: readonly ModelType[] = ['base_lcm', 'two_tower_diffusion_lcm', 'sonar_llm'];

/** reference: lcm.nn.normalization.SUPPORTED_LN_TYPES. */
const layerNormalizationStyles = ['standard', 'fp32', 'rms', 'unit'] as const;

/**
 * Parses the configuration of one concept model.
 *
 * @param fields       its entry under `lcm`
 * @param weightNames  the keys of its checkpoint
 * @throws CheckpointFormatError when it is malformed or a value is out of its range
 * @throws CheckpointUnsupportedError when it asks for what we do not build
 */
export function parseConceptModelConfig(
  fields: Fields,
  weightNames: readonly string[],
): ConceptModelConfig {
  const merged = withArchitecture(fields, conceptModelArchitectures);
  const found = merged.orNull('model_type', (key) => merged.choice(key, modelTypes));
  const modelType = found ?? findModelType(merged, weightNames);
  const config = parseFamily(modelType, merged, weightNames);
  merged.close();
  return config;
}

function parseFamily(
  modelType: ModelType,
  fields: Fields,
  weightNames: readonly string[],
): ConceptModelConfig {
  if (modelType === 'sonar_llm') return parseSonarLlm(fields);
  const common = {
    maxSeqLen: fields.integer('max_seq_len', sequenceLengths, 2048),
    modelDim: fields.integer('model_dim', dimensions, 1024),
    sonarEmbedDim: fields.integer('sonar_embed_dim', dimensions, 1024),
    sonarNormalizerName: parseNormalizerName(fields, weightNames),
    generation: parseGeneration(fields.object('generation', {}), lcmGeneration),
  };
  return modelType === 'base_lcm' ? parseBaseLcm(fields, common) : parseTwoTowerLcm(fields, common);
}

type CommonConfig = Pick<
  BaseLcmConfig,
  'maxSeqLen' | 'modelDim' | 'sonarEmbedDim' | 'sonarNormalizerName' | 'generation'
>;

/** @throws CheckpointUnsupportedError when the weights are of no family we know */
function findModelType(fields: Fields, weightNames: readonly string[]): ModelType {
  const hasPrefix = (prefix: string) => weightNames.some((name) => name.startsWith(prefix));
  if (hasPrefix('denoiser.')) return 'two_tower_diffusion_lcm';
  if (hasPrefix('lcm.layers.')) return 'base_lcm';
  if (hasPrefix('llama_model.')) return 'sonar_llm';
  throw new CheckpointUnsupportedError(
    `${fields.path}: expected weights of a family we know (${modelTypes.join(', ')}), found others`,
  );
}

/** The name only says which asset the reference takes; the buffers are among the weights. */
function parseNormalizerName(fields: Fields, weightNames: readonly string[]): string | null {
  if (fields.has('sonar_normalizer_name')) {
    return fields.orNull('sonar_normalizer_name', (key) => fields.text(key));
  }
  const hasNormalizer = weightNames.some((name) => name.endsWith('sonar_normalizer.center'));
  return hasNormalizer ? 'sonar_normalizer' : null;
}

/** reference: BaseLCModelConfig. */
function parseBaseLcm(fields: Fields, common: CommonConfig): BaseLcmConfig {
  const frontend = fields.object('frontend', {});
  const modelOutputDim = fields.orNull('model_output_dim', (key) =>
    fields.integer(key, dimensions),
  );
  if (modelOutputDim !== null && modelOutputDim !== common.sonarEmbedDim) {
    throw fields.unsupported('model_output_dim', `sonar_embed_dim ${common.sonarEmbedDim}`);
  }
  const config: BaseLcmConfig = {
    modelType: 'base_lcm',
    ...common,
    modelOutputDim,
    frontend: {
      preLinearBias: frontend.boolean('pre_linear_bias', true),
      scaleEmbeddings: frontend.boolean('scale_embeddings', false),
      weightNormalization: frontend.choice('weight_normalization', [false], false),
    },
    lcm: parseTransformer(fields.object('lcm', {}), common.modelDim),
    postnet: parseProjection(fields.object('postnet', {})),
  };
  closeFrontend(frontend);
  return config;
}

/** reference: TwoTowerDiffusionLCModelConfig. */
function parseTwoTowerLcm(fields: Fields, common: CommonConfig): TwoTowerLcmConfig {
  if (common.sonarNormalizerName === null) {
    throw fields.unsupported('sonar_normalizer_name', 'a normalizer');
  }
  const frontend = fields.object('frontend', {});
  const config: TwoTowerLcmConfig = {
    modelType: 'two_tower_diffusion_lcm',
    ...common,
    frontend: {
      preLinearBias: frontend.boolean('pre_linear_bias', true),
      weightNormalization: frontend.choice('weight_normalization', [false], false),
    },
    contextEncoder: parseTransformer(fields.object('context_encoder', {}), common.modelDim),
    noiseScheduler: parseNoiseScheduler(fields.object('noise_scheduler', {})),
    denoiser: parseDenoiser(fields.object('denoiser', {}), common.modelDim),
    trainedWithCfGuidance: fields.boolean('trained_with_cf_guidance', false),
  };
  closeFrontend(frontend);
  return config;
}

function closeFrontend(fields: Fields): void {
  fields.ignore('dropout_p', 'pre_linear_init_fn', 'embedding_std');
  fields.close();
}

function parseTransformer(fields: Fields, modelDim: number): TransformerConfig {
  const config = parseTransformerFields(fields, modelDim, 'learned');
  fields.close();
  return config;
}

/** reference: TransformerConfig. */
function parseTransformerFields(
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

/** reference: DenoiserConfig. */
function parseDenoiser(fields: Fields, modelDim: number): DenoiserConfig {
  const config: DenoiserConfig = {
    ...parseTransformerFields(fields, modelDim, 'none'),
    preDenoiser: parseProjection(fields.object('pre_denoiser', {})),
    postDenoiser: parseProjection(fields.object('post_denoiser', {})),
    timestepEmbedDim: fields.integer('timestep_embed_dim', dimensions, modelDim),
  };
  if (config.timestepEmbedDim !== modelDim) {
    throw fields.malformed('timestep_embed_dim', `model_dim ${modelDim}`);
  }
  fields.close();
  return config;
}

/** reference: ProjectionConfig. */
function parseProjection(fields: Fields): ProjectionConfig {
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
function parseNoiseScheduler(fields: Fields): NoiseSchedulerConfig {
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
