import type {
  ConfidenceEntry,
  GenerationEntry,
  NoiseSchedulerConfig,
  SamplingEntry,
} from './manifest.ts';

/*
 * Hyper-parameters of each architecture: the fields of the reference's dataclasses that matter at
 * inference, in camelCase and with the reference's meaning. What a field may be beyond what we
 * build is refused by the model's builder with a CheckpointUnsupportedError.
 */

/** reference: fairseq2 VocabularyInfo. */
export interface VocabInfo {
  size: number;
  unkIdx: number;
  bosIdx: number;
  eosIdx: number;
  padIdx: number;
}

/** reference: SonarTextEncoderConfig. */
export interface SonarEncoderConfig {
  modelDim: number;
  /** Before the correction of `fromFairseq`; see `encoderMaxSeqLen`. */
  maxSeqLen: number;
  vocabInfo: VocabInfo;
  numEncoderLayers: number;
  numEncoderAttnHeads: number;
  ffnInnerDim: number;
  pooling: 'mean' | 'max' | 'last' | 'attention';
  activationFn: string;
  layernormEmbedding: boolean;
  noScaleEmbedding: boolean;
  noTokenPositionalEmbeddings: boolean;
  learnedPos: boolean;
  /** Only decides whether the stack has a norm of its own; layers always normalise first. */
  normalizeBefore: boolean;
  fromFairseq: boolean;
}

/** reference: SonarTextDecoderConfig. */
export interface SonarDecoderConfig {
  modelDim: number;
  maxSeqLen: number;
  vocabInfo: VocabInfo;
  numDecoderLayers: number;
  numDecoderAttnHeads: number;
  ffnInnerDim: number;
  /** Embedding dimension E; null means `modelDim`. */
  inputDim: number | null;
  activationFn: string;
  layernormEmbedding: boolean;
  noScaleEmbedding: boolean;
  noTokenPositionalEmbeddings: boolean;
  learnedPos: boolean;
}

/** reference: training/entropy.py, EntropyConfig. */
export interface EntropyModelConfig {
  /** Bytes and specials; see `byteOffset` of `text/patching.ts`. */
  vocabSize: number;
  modelDim: number;
  numLayers: number;
  numAttnHeads: number;
  ffnInnerDim: number;
  /** BOS included. */
  maxSeqLen: number;
  ropeTheta: number;
}

/** reference: lcm.nn.transformer.TransformerConfig. */
export interface TransformerConfig {
  numLayers: number;
  numAttnHeads: number;
  /** As configured; SwiGLU takes two thirds of it, rounded up to a multiple of 256. */
  ffnInnerDim: number;
  useSwiglu: boolean;
  ffnInnerActivationName: string;
  posEmbeddingStyle: 'rope' | 'sine' | 'learned' | 'none';
  ropeTheta: number;
  layerNormalizationStyle: 'standard' | 'fp32' | 'rms' | 'unit';
  normOrderStyle: 'pre' | 'post' | 'normformer';
  /** null means `normOrderStyle`. */
  finalNormOrderStyle: 'pre' | 'post' | 'normformer' | null;
  enableQkLayernorm: boolean;
  mhaQkvWeightNormalization: boolean;
  mhaOutputWeightNormalization: boolean;
  mhaOutputProjBias: boolean;
  scaleResidual: number | null;
}

/** reference: lcm.nn.projection.ProjectionConfig. */
export interface ProjectionConfig {
  linearBias: boolean;
  weightNormalization: boolean;
  activationName: string | null;
}

/** reference: LCMFrontendConfig. */
export interface LcmFrontendConfig {
  preLinearBias: boolean;
  scaleEmbeddings: boolean;
  weightNormalization: boolean;
}

/** reference: BaseLCModelConfig. */
export interface BaseLcmConfig {
  modelType: 'base_lcm';
  maxSeqLen: number;
  modelDim: number;
  /** null means `sonarEmbedDim`. */
  modelOutputDim: number | null;
  sonarEmbedDim: number;
  /** null means that the model has no normaliser. */
  sonarNormalizerName: string | null;
  frontend: LcmFrontendConfig;
  lcm: TransformerConfig;
  postnet: ProjectionConfig;
  generation: GenerationEntry;
  sampling: SamplingEntry;
  confidence: ConfidenceEntry | null;
}

/** reference: EncoderFrontendConfig. */
export interface EncoderFrontendConfig {
  preLinearBias: boolean;
  weightNormalization: boolean;
}

/** reference: DenoiserConfig. */
export interface DenoiserConfig extends TransformerConfig {
  preDenoiser: ProjectionConfig;
  postDenoiser: ProjectionConfig;
  /** Must equal the model's `modelDim`. */
  timestepEmbedDim: number;
}

/** reference: TwoTowerDiffusionLCModelConfig. */
export interface TwoTowerLcmConfig {
  modelType: 'two_tower_diffusion_lcm';
  maxSeqLen: number;
  modelDim: number;
  sonarEmbedDim: number;
  sonarNormalizerName: string | null;
  frontend: EncoderFrontendConfig;
  contextEncoder: TransformerConfig;
  noiseScheduler: NoiseSchedulerConfig;
  denoiser: DenoiserConfig;
  trainedWithCfGuidance: boolean;
  generation: GenerationEntry;
  sampling: SamplingEntry;
  confidence: ConfidenceEntry | null;
}

/**
 * The backbone of One-Tower and Quant-LCM: one causal Transformer over clean concepts and, in the
 * place of the next one, a slot that is not clean yet. Each input is joined with an embedding of
 * how clean it is, and a slot sees the clean concepts before it and itself.
 *
 * No code of either was published; this is our reconstruction of arXiv:2412.08821, sections 2.3.2
 * and 2.3.4, and the names of the weights are ours, in the style of the reference:
 *
 *   frontend.pre_linear          [modelDim, sonarEmbedDim + conditionDim], with bias
 *   frontend.pos_encoder.weight  [maxSeqLen, modelDim]; a slot has the position of its concept
 *   lcm.layers.{i}.…, lcm.layer_norm   as in Base-LCM
 *   postnet.fc                   [output, modelDim], with bias
 *   sonar_normalizer.{center, scale}   [sonarEmbedDim]
 */
export interface SlotLcmConfig {
  maxSeqLen: number;
  modelDim: number;
  sonarEmbedDim: number;
  sonarNormalizerName: string | null;
  /** Dimension of the embedding of how clean an input is. */
  conditionDim: number;
  frontend: LcmFrontendConfig;
  lcm: TransformerConfig;
  postnet: ProjectionConfig;
  trainedWithCfGuidance: boolean;
  generation: GenerationEntry;
  sampling: SamplingEntry;
  confidence: ConfidenceEntry | null;
}

/**
 * One-Tower diffusion: the slot holds noise, its condition is the timestep, 0 for clean concepts.
 *
 *   embed_time.{fc1, fc2}        as in a Two-Tower's denoiser, of conditionDim
 */
export interface OneTowerLcmConfig extends SlotLcmConfig {
  modelType: 'one_tower_diffusion_lcm';
  noiseScheduler: NoiseSchedulerConfig;
}

/**
 * Quant-LCM: the slot holds the sum of the centroids that are already chosen, its condition is how
 * many they are, numCodebooks for clean concepts.
 *
 *   embed_codebook.weight        [numCodebooks + 1, conditionDim]
 *   quantizer.codebooks          [numCodebooks, codebookSize, sonarEmbedDim], in normalised space
 */
export interface QuantLcmConfig extends SlotLcmConfig {
  modelType: 'quant_lcm';
  /**
   * What the slot predicts: the clean concept (Quant-LCM-c), or the unit of the next codebook, by
   * an output layer of codebookSize that all codebooks share (Quant-LCM-d).
   */
  target: 'continuous' | 'discrete';
  numCodebooks: number;
  codebookSize: number;
}

/** reference: transformers.LlamaConfig; positions count sentences. */
export interface LlamaConfig {
  hiddenSize: number;
  intermediateSize: number;
  numHiddenLayers: number;
  numAttentionHeads: number;
  /** Keys and values are shared by numAttentionHeads / numKeyValueHeads heads. */
  numKeyValueHeads: number;
  /** Need not be hiddenSize / numAttentionHeads. */
  headDim: number;
  maxPositionEmbeddings: number;
  rmsNormEps: number;
  ropeTheta: number;
  /** null means that frequencies stay as they are. */
  ropeScaling: Llama3RopeScaling | null;
}

/** reference: transformers.modeling_rope_utils, rope_type llama3. */
export interface Llama3RopeScaling {
  factor: number;
  lowFreqFactor: number;
  highFreqFactor: number;
  originalMaxPositionEmbeddings: number;
}

/** reference: config.json beside the published SONAR-LLM weights. */
export interface SonarLlmConfig {
  modelType: 'sonar_llm';
  sonarEmbedDim: number;
  /** SONAR-LLM works on raw embeddings. */
  sonarNormalizerName: null;
  llama: LlamaConfig;
  generation: GenerationEntry;
  sampling: SamplingEntry;
  confidence: ConfidenceEntry | null;
}

export type ConceptModelConfig =
  | BaseLcmConfig
  | OneTowerLcmConfig
  | TwoTowerLcmConfig
  | QuantLcmConfig
  | SonarLlmConfig;

/** Returns the longest input in tokens: fairseq counted the padding index and one more. */
export function encoderMaxSeqLen({
  maxSeqLen,
  vocabInfo,
  fromFairseq,
}: SonarEncoderConfig): number {
  return fromFairseq ? maxSeqLen + vocabInfo.padIdx + 1 : maxSeqLen;
}

/** Returns the inner dimension F of the feed-forward network that a TransformerConfig describes. */
export function ffnDim({ ffnInnerDim, useSwiglu }: TransformerConfig): number {
  if (!useSwiglu) return ffnInnerDim;
  const multiple = 256; // reference: inner_dim_to_multiple
  return Math.ceil(Math.trunc((ffnInnerDim * 2) / 3) / multiple) * multiple;
}
