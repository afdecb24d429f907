import {
  type BaseLcmConfig,
  type DenoiserConfig,
  type EntropyModelConfig,
  encoderMaxSeqLen,
  type OneTowerLcmConfig,
  type QuantLcmConfig,
  type SlotLcmConfig,
  type SonarDecoderConfig,
  type SonarEncoderConfig,
  type SonarLlmConfig,
  type TransformerConfig,
  type TwoTowerLcmConfig,
} from '../../server/model/config.ts';
import type { NoiseSchedulerConfig } from '../../server/model/manifest.ts';
import { lcmGeneration, sonarLlmGeneration } from '../../server/model/parseGeneration.ts';
import { noSampling } from '../../server/model/parseSampling.ts';

/* The tiny models that golden values were computed with. */

const vocabInfo = { size: 40, unkIdx: 1, bosIdx: 2, eosIdx: 3, padIdx: 1 };

const sonar = {
  modelDim: 32,
  vocabInfo,
  ffnInnerDim: 64,
  activationFn: 'ReLU',
  layernormEmbedding: false,
  noScaleEmbedding: false,
  noTokenPositionalEmbeddings: false,
  learnedPos: false,
};

export const tinySonarEncoder: SonarEncoderConfig = {
  ...sonar,
  maxSeqLen: 16,
  numEncoderLayers: 2,
  numEncoderAttnHeads: 4,
  pooling: 'mean',
  normalizeBefore: false,
  fromFairseq: true,
};

export const tinySonarDecoder: SonarDecoderConfig = {
  ...sonar,
  maxSeqLen: 16,
  numDecoderLayers: 2,
  numDecoderAttnHeads: 4,
  inputDim: null,
};

export const tinyEntropyModel: EntropyModelConfig = {
  vocabSize: 260,
  modelDim: 16,
  numLayers: 2,
  numAttnHeads: 2,
  ffnInnerDim: 24,
  maxSeqLen: 24,
  ropeTheta: 10_000,
};

const transformer: TransformerConfig = {
  numLayers: 2,
  numAttnHeads: 4,
  ffnInnerDim: 128,
  useSwiglu: true,
  ffnInnerActivationName: 'relu',
  posEmbeddingStyle: 'rope',
  ropeTheta: 10_000,
  layerNormalizationStyle: 'rms',
  normOrderStyle: 'pre',
  finalNormOrderStyle: null,
  enableQkLayernorm: false,
  mhaQkvWeightNormalization: false,
  mhaOutputWeightNormalization: false,
  mhaOutputProjBias: true,
  scaleResidual: null,
};

/** How the reference's toy architectures differ from the large ones. */
const toyTransformer: TransformerConfig = {
  ...transformer,
  ffnInnerDim: 64,
  useSwiglu: false,
  posEmbeddingStyle: 'learned',
  layerNormalizationStyle: 'standard',
  mhaOutputProjBias: false,
};

const projection = { linearBias: true, weightNormalization: false, activationName: null };

export const tinyBaseLcm: BaseLcmConfig = {
  modelType: 'base_lcm',
  maxSeqLen: 64,
  modelDim: 32,
  modelOutputDim: null,
  sonarEmbedDim: 16,
  sonarNormalizerName: 'dummy_sonar_normalizer',
  frontend: { preLinearBias: true, scaleEmbeddings: false, weightNormalization: false },
  lcm: transformer,
  postnet: projection,
  generation: lcmGeneration,
  sampling: noSampling,
  confidence: null,
};

/** LayerNorm, ReLU, learned positions, no bias on the output projection, no normaliser. */
export const toyBaseLcm: BaseLcmConfig = {
  ...tinyBaseLcm,
  sonarNormalizerName: null,
  lcm: toyTransformer,
};

const noiseScheduler: NoiseSchedulerConfig = {
  numDiffusionTrainSteps: 100,
  betaStart: 0.0001,
  betaEnd: 0.02,
  betaSchedule: 'squaredcos_cap_v2',
  scaledLinearExponent: 2,
  sigmoidScheduleAlpha: 1.5,
  sigmoidScheduleBeta: 0,
  clipSample: false,
  clipSampleRange: 1,
  setAlphaToOne: true,
  predictionType: 'sample',
  thresholding: false,
  dynamicThresholdingRatio: 0.995,
  sampleMaxValue: 6,
  rescaleBetasZeroSnr: true,
  timestepSpacing: 'trailing',
};

const denoiser: DenoiserConfig = {
  ...transformer,
  posEmbeddingStyle: 'none',
  preDenoiser: projection,
  postDenoiser: projection,
  timestepEmbedDim: 32,
};

export const tinyTwoTowerLcm: TwoTowerLcmConfig = {
  modelType: 'two_tower_diffusion_lcm',
  maxSeqLen: 64,
  modelDim: 32,
  sonarEmbedDim: 16,
  sonarNormalizerName: 'dummy_sonar_normalizer',
  frontend: { preLinearBias: true, weightNormalization: false },
  contextEncoder: { ...transformer, numLayers: 1 },
  noiseScheduler,
  denoiser,
  trainedWithCfGuidance: true,
  generation: lcmGeneration,
  sampling: noSampling,
  confidence: null,
};

export const toyTwoTowerLcm: TwoTowerLcmConfig = {
  ...tinyTwoTowerLcm,
  contextEncoder: toyTransformer,
  denoiser: { ...denoiser, ...toyTransformer, posEmbeddingStyle: 'none' },
};

const slotLcm: SlotLcmConfig = {
  maxSeqLen: 64,
  modelDim: 32,
  sonarEmbedDim: 16,
  sonarNormalizerName: 'dummy_sonar_normalizer',
  conditionDim: 24,
  frontend: tinyBaseLcm.frontend,
  lcm: { ...transformer, posEmbeddingStyle: 'learned' },
  postnet: projection,
  trainedWithCfGuidance: true,
  generation: lcmGeneration,
  sampling: noSampling,
  confidence: null,
};

export const tinyOneTowerLcm: OneTowerLcmConfig = {
  ...slotLcm,
  modelType: 'one_tower_diffusion_lcm',
  noiseScheduler,
};

/** LayerNorm, ReLU, no bias on the output projection. */
export const toyOneTowerLcm: OneTowerLcmConfig = { ...tinyOneTowerLcm, lcm: toyTransformer };

/** Rotary positions, which a One-Tower may have although the paper's are learned. */
export const rotaryOneTowerLcm: OneTowerLcmConfig = { ...tinyOneTowerLcm, lcm: transformer };

/** Quant-LCM-d. */
export const tinyQuantLcmD: QuantLcmConfig = {
  ...slotLcm,
  modelType: 'quant_lcm',
  target: 'discrete',
  numCodebooks: 3,
  codebookSize: 10,
};

/** Quant-LCM-c. */
export const tinyQuantLcmC: QuantLcmConfig = { ...tinyQuantLcmD, target: 'continuous' };

/** Heads that are wider than the model together, and waves of which scaling changes some. */
export const tinySonarLlm: SonarLlmConfig = {
  modelType: 'sonar_llm',
  sonarEmbedDim: 16,
  sonarNormalizerName: null,
  llama: {
    hiddenSize: 24,
    intermediateSize: 40,
    numHiddenLayers: 2,
    numAttentionHeads: 4,
    numKeyValueHeads: 4,
    headDim: 8,
    maxPositionEmbeddings: 64,
    rmsNormEps: 1e-6,
    ropeTheta: 100,
    ropeScaling: {
      factor: 32,
      lowFreqFactor: 1,
      highFreqFactor: 4,
      originalMaxPositionEmbeddings: 32,
    },
  },
  generation: sonarLlmGeneration,
  sampling: noSampling,
  confidence: null,
};

/** Two heads share keys and values. */
export const tinyGroupedSonarLlm: SonarLlmConfig = {
  ...tinySonarLlm,
  llama: { ...tinySonarLlm.llama, numKeyValueHeads: 2 },
};

/** Longest input of the tiny encoder, in tokens. */
export const tinyEncoderMaxSeqLen = encoderMaxSeqLen(tinySonarEncoder);
