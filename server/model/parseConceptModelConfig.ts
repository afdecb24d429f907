import { CheckpointUnsupportedError } from '../base/errors.ts';
import { conceptModelArchitectures } from './architectures.ts';
import type {
  BaseLcmConfig,
  ConceptModelConfig,
  DenoiserConfig,
  OneTowerLcmConfig,
  QuantLcmConfig,
  SlotLcmConfig,
  TwoTowerLcmConfig,
} from './config.ts';
import type { Fields } from './fields.ts';
import { codebookCounts, codebookSizes, dimensions, sequenceLengths } from './limits.ts';
import { parseConfidenceConfig } from './parseConfidence.ts';
import { withArchitecture } from './parseConfig.ts';
import { lcmGeneration, parseGeneration } from './parseGeneration.ts';
import {
  closeFrontend,
  parseNoiseScheduler,
  parseProjection,
  parseTransformer,
  parseTransformerFields,
} from './parseLcmParts.ts';
import { parseSamplingConfig } from './parseSampling.ts';
import { parseSonarLlm } from './parseSonarLlmConfig.ts';

/*
 * The configuration of a concept model. What a configuration may leave out, the names of the
 * weights tell: the family, and whether there is a normaliser.
 */

type ModelType = ConceptModelConfig['modelType'];

const modelTypes: readonly ModelType[] = [
  'base_lcm',
  'one_tower_diffusion_lcm',
  'two_tower_diffusion_lcm',
  'quant_lcm',
  'sonar_llm',
];

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
  checkSteps(merged, config);
  merged.close();
  return config;
}

/** A schedule has no more steps than it was trained with. */
function checkSteps(fields: Fields, config: ConceptModelConfig): void {
  if (!('noiseScheduler' in config)) return;
  const { numDiffusionTrainSteps } = config.noiseScheduler;
  if ((config.sampling.inferenceTimesteps ?? 1) <= numDiffusionTrainSteps) return;
  const expected = `at most the ${numDiffusionTrainSteps} steps of training`;
  throw fields.object('sampling').malformed('inference_timesteps', expected);
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
    sampling: parseSamplingConfig(fields.object('sampling', {})),
    confidence: parseConfidenceConfig(fields),
  };
  switch (modelType) {
    case 'base_lcm':
      return parseBaseLcm(fields, common);
    case 'one_tower_diffusion_lcm':
      return parseOneTowerLcm(fields, common);
    case 'two_tower_diffusion_lcm':
      return parseTwoTowerLcm(fields, common);
    case 'quant_lcm':
      return parseQuantLcm(fields, common);
  }
}

type CommonConfig = Pick<
  BaseLcmConfig,
  | 'maxSeqLen'
  | 'modelDim'
  | 'sonarEmbedDim'
  | 'sonarNormalizerName'
  | 'generation'
  | 'sampling'
  | 'confidence'
>;

/** @throws CheckpointUnsupportedError when the weights are of no family we know */
function findModelType(fields: Fields, weightNames: readonly string[]): ModelType {
  const hasPrefix = (prefix: string) => weightNames.some((name) => name.startsWith(prefix));
  if (hasPrefix('denoiser.')) return 'two_tower_diffusion_lcm';
  if (hasPrefix('embed_time.')) return 'one_tower_diffusion_lcm';
  if (hasPrefix('quantizer.')) return 'quant_lcm';
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

/** What One-Tower and Quant-LCM have in common; the names are ours, after the reference's. */
function parseSlotLcm(fields: Fields, common: CommonConfig): SlotLcmConfig {
  if (common.maxSeqLen < 2) throw fields.malformed('max_seq_len', 'a concept and a slot, 2');
  const frontend = fields.object('frontend', {});
  const config: SlotLcmConfig = {
    ...common,
    conditionDim: fields.integer('condition_dim', dimensions, common.modelDim),
    frontend: {
      preLinearBias: frontend.boolean('pre_linear_bias', true),
      scaleEmbeddings: frontend.choice('scale_embeddings', [false], false),
      weightNormalization: frontend.choice('weight_normalization', [false], false),
    },
    lcm: parseTransformer(fields.object('lcm', {}), common.modelDim),
    postnet: parseProjection(fields.object('postnet', {})),
    trainedWithCfGuidance: fields.boolean('trained_with_cf_guidance', false),
  };
  closeFrontend(frontend);
  return config;
}

function parseOneTowerLcm(fields: Fields, common: CommonConfig): OneTowerLcmConfig {
  return {
    modelType: 'one_tower_diffusion_lcm',
    ...parseSlotLcm(fields, common),
    noiseScheduler: parseNoiseScheduler(fields.object('noise_scheduler', {})),
  };
}

function parseQuantLcm(fields: Fields, common: CommonConfig): QuantLcmConfig {
  const quantizer = fields.object('quantizer', {});
  const config: QuantLcmConfig = {
    modelType: 'quant_lcm',
    ...parseSlotLcm(fields, common),
    target: fields.choice('target', ['continuous', 'discrete'], 'discrete'),
    numCodebooks: quantizer.integer('num_codebooks', codebookCounts, 64),
    codebookSize: quantizer.integer('codebook_size', codebookSizes, 8192),
  };
  quantizer.close();
  return config;
}
