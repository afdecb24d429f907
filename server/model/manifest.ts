/*
 * The contract between the compiler, which writes a model folder, and the inference, which runs it.
 * A folder holds manifest.json, the tokenizer, and for every graph an .onnx file with its weights
 * in an external-data file beside it. Shapes use the letters of ARCHITECTURE.md.
 */

/** Raised whenever an older folder must be compiled again. */
export const manifestVersion = 4;

/**
 * How a graph holds its large matrices: as numbers, as signed bytes with a scale per row, or as
 * four bits with a scale per block of a row. What goes in and out is float32 in all of them.
 */
export const precisions = ['fp32', 'fp16', 'int8', 'int4'] as const;
export type Precision = (typeof precisions)[number];

/** The parts of a model that may differ in precision. */
export interface PartPrecisions {
  encoder: Precision;
  decoder: Precision;
  conceptModels: Precision;
}

/** A file of the folder, with what `verify` compares. */
export interface FileEntry {
  /** A bare file name, without folders. */
  file: string;
  sizeBytes: number;
  sha256: string;
}

/** One compiled graph: the ONNX model and its external weights. */
export interface GraphEntry {
  model: FileEntry;
  weights: FileEntry;
}

/** x̃ = (x − center) / scale, kept beside the graphs because sampling happens in normalised space. */
export interface NormalizerEntry {
  /** Raw little-endian float32: center [E], then scale [E]. */
  file: FileEntry;
}

export interface TokenizerEntry {
  file: FileEntry;
  /** Language tokens in id order; token `__eng_Latn__` is called `eng_Latn`. */
  langs: readonly string[];
  defaultLang: string;
}

/**
 * Graph `encoder`:
 *   input_ids [N, S] int64, attention_mask [N, S] int64 → sentence_embedding [N, E] float32.
 * Padding is on the right, with id 0 and mask 0.
 */
export interface EncoderEntry {
  precision: Precision;
  modelDim: number;
  /** Longest input in tokens, language token and </s> included. */
  maxSeqLen: number;
  graph: GraphEntry;
}

/**
 * Graph `prepare`, once per concept:
 *   sentence_embedding [N, E] → encoder_hidden_states [N, L, D] float32,
 *   the constant that cross-attention over one position adds in each layer.
 *
 * Graph `step`, once per token:
 *   input_ids [N, S] int64              the new tokens, the same number in every row
 *   ancestors [N, T] int64              the places in the past of the tokens before, oldest first
 *   encoder_hidden_states [N, L, D]     already one row per hypothesis
 *   past_key_values [L, 2, P, D]        the P tokens of all steps before, keys and then values
 *   kept_from [1] int64                 place of the past from which on it belongs into `present`:
 *                                       0 where the cache grows in the graph, P where the host
 *                                       keeps it and wants the new tokens alone
 *   top_count [1] int64                 k; at most V
 *   temperature [1] float32             logits are divided by it before the log-softmax
 *   scored_tokens [W] int64             tokens whose log-probabilities are wanted, such as </s>
 * → top_log_probs [N, k], top_tokens [N, k] int64   the k best after the last token, descending
 *   scored_log_probs [N, W]             of the wanted tokens after the last one
 *   present_key_values [L, 2, P − kept_from + N·S, D]  the new tokens at the end, row after row
 *
 * With a shortlist, `step` knows its tokens only: V is their number, and a token in input_ids,
 * scored_tokens and top_tokens is a place in it. All else here counts in ids of the tokenizer.
 */
export interface DecoderEntry {
  precision: Precision;
  modelDim: number;
  numLayers: number;
  numAttnHeads: number;
  headDim: number;
  vocabSize: number;
  /** Longest sequence in tokens, the prompt `</s> lang` included. */
  maxSeqLen: number;
  /** fairseq2 ids of the model's configuration; `pad` is the token that beam search never emits. */
  vocabInfo: { size: number; unkIdx: number; bosIdx: number; eosIdx: number; padIdx: number };
  /** null when `step` knows the whole vocabulary. */
  shortlist: ShortlistEntry | null;
  prepare: GraphEntry;
  step: GraphEntry;
}

/** The part of the vocabulary that a decoder was compiled for. */
export interface ShortlistEntry {
  /** The languages that it is for, in the order of the tokenizer's; it writes no others. */
  langs: readonly string[];
  /** Raw little-endian int32: the ids of its tokens, ascending. */
  file: FileEntry;
}

/** Returns the number of its tokens. */
export function shortlistSize({ file }: ShortlistEntry): number {
  return file.sizeBytes / Int32Array.BYTES_PER_ELEMENT;
}

/**
 * Graph `entropy`, a byte model:
 *   input_ids [N, S] int64
 * → entropy [N, S] float32, in nats, of the id after each
 *   surprisal [N, S] float32, − log p of the id that comes after each; of the first one after the last
 * Ids are those of `text/patching.ts`; what stands on the right changes nothing on the left.
 */
export interface EntropyEntry {
  precision: Precision;
  /** Longest input in ids, BOS included. */
  maxSeqLen: number;
  graph: GraphEntry;
}

/** Directions of the concept space that predictions can be bent in, by name. */
export interface DirectionsEntry {
  names: readonly string[];
  /** Raw little-endian float32, [names, E], each of length 1 in the normalised space. */
  file: FileEntry;
}

/** How a concept model writes on, sentence after sentence; see `continueText`. */
export interface GenerationEntry {
  /**
   * What a model reads of its own: the concept that it predicted, or the concept of the sentence
   * that was written from it.
   */
  feedback: 'concept' | 'text';
  /** The sentence that ends a text. */
  eosText: string;
  /** The cosine to its concept from which on the text ends. */
  eosThreshold: number;
  /** The cosine to the concept before from which on the text ends; null: it may repeat itself. */
  repetitionThreshold: number | null;
  /** Sentences that are written before a text may end. */
  minGenLen: number;
  /** The sentence that a text begins with in training; null for none. */
  beginText: string | null;
}

/** How a concept model is best sampled; null where its makers say nothing. */
export interface SamplingEntry {
  /** Denoising steps (diffusion). */
  inferenceTimesteps: number | null;
  guidanceScale: number | null;
  /** See `SamplingOptions.initialNoiseScale`. */
  initialNoiseScale: number | null;
  /** Spread of the choice among the units of a codebook (quant). */
  temperature: number | null;
  /** Units of a codebook that may be chosen (quant). */
  topK: number | null;
}

/**
 * How likely a sentence is worth showing: a logistic regression on what is known of it, fitted on
 * text that nothing was trained on.
 *
 *   p = σ(bias + Σ coefficient · value)
 */
export interface ConfidenceEntry {
  /** FLORES-200 codes of the languages that it was fitted on; of others it says nothing. */
  langs: readonly string[];
  bias: number;
  /** Of the cosine of the sentence, read again, and the nearest other prediction. */
  support: number;
  /** Of the cosine of the sentence, read again, and the prediction that it was written from. */
  agreement: number;
  /** Of the decoder's log-probability per token. */
  score: number;
  /** Of − log p per byte, in nats, by the entropy model. */
  surprisal: number;
  /** Of the logarithm of the length in UTF-16 units. */
  logLength: number;
}

/** What all concept models have in common. */
interface ConceptModelBase {
  /** As the writer chooses it: `base`, `two-tower`. */
  name: string;
  precision: Precision;
  modelDim: number;
  maxSeqLen: number;
  normalizer: NormalizerEntry | null;
  generation: GenerationEntry;
  sampling: SamplingEntry;
  /** null where nobody has measured it. */
  confidence: ConfidenceEntry | null;
}

/** The cache of a causal tower over concepts, [L, 2, N, H, T, K]. */
export interface TowerEntry {
  numLayers: number;
  /** H; the key-value heads, where several heads share one. */
  numAttnHeads: number;
  headDim: number;
}

/**
 * Models that predict the next concept directly.
 *
 * Graph `lcm`, in normalised space, cached over concepts:
 *   sentence_embedding [N, S, E], past_key_values [L, 2, N, H, T, K]
 * → next_embedding [N, S, E]            the prediction of position n + 1 read at position n
 *   present_key_values [L, 2, N, H, T + S, K]
 */
export interface RegressionLcmEntry extends ConceptModelBase, TowerEntry {
  family: 'base_lcm' | 'sonar_llm';
  graphs: { lcm: GraphEntry };
}

/**
 * A tower over clean concepts and slots that are not clean yet.
 *
 * Graph `lcm`, in normalised space:
 *   sentence_embedding [N, S, E]        the clean concepts of one row, or one slot for each row
 *   condition [N] int64                 how clean a row's inputs are: the timestep, or the codebook
 *   is_conditional [N] float32          1: sees the past; 0: sees its own row alone
 *   past_key_values [L, 2, 1, H, T, K]  of clean concepts, shared by all rows
 * → prediction [N, S, …]                what the family says
 *   present_key_values [L, 2, 1, H, T + S, K]  the past and the first row
 */
interface SlotLcmEntry extends ConceptModelBase, TowerEntry {
  trainedWithCfGuidance: boolean;
  graphs: { lcm: GraphEntry };
}

/** Its prediction, [N, S, E], is what noiseScheduler.predictionType says. */
export interface OneTowerLcmEntry extends SlotLcmEntry {
  family: 'one_tower_diffusion_lcm';
  noiseScheduler: NoiseSchedulerConfig;
}

/**
 * Its prediction is the clean concept, [N, S, E], when the target is continuous, and the logits of
 * the units of a codebook, [N, S, codebookSize], when it is discrete.
 */
export interface QuantLcmEntry extends SlotLcmEntry {
  family: 'quant_lcm';
  target: 'continuous' | 'discrete';
  quantizer: QuantizerEntry;
}

/** The codebooks of a residual quantiser, kept beside the graphs because sampling chooses in them. */
export interface QuantizerEntry {
  numCodebooks: number;
  codebookSize: number;
  /** Raw little-endian float32, [numCodebooks, codebookSize, E]. */
  file: FileEntry;
}

/**
 * Graph `context`, the context tower, in normalised space, cached over concepts:
 *   sentence_embedding [N, S, E], past_key_values [L, 2, N, H, T, K]
 * → encoder_hidden_states [N, S, D], present_key_values [L, 2, N, H, T + S, K]
 *
 * Graph `crossAttention`, once per context:
 *   encoder_hidden_states [N, T, D] → cross_key_values [L′, 2, N, H, T + 1, K]
 *   the keys and values of every denoiser layer, the zero vector first.
 *
 * Graph `denoiser`, once per diffusion step:
 *   latents [N, E], timestep [N] int64,
 *   is_conditional [N] float32          1: attends to the context; 0: the unconditional constant
 *   cross_key_values [L′, 2, 1, H, T, K]  one context, shared by all rows
 * → prediction [N, E]                   what noiseScheduler.predictionType says
 */
export interface TwoTowerLcmEntry extends ConceptModelBase {
  family: 'two_tower_diffusion_lcm';
  contextLayers: number;
  contextHeads: number;
  contextHeadDim: number;
  denoiserLayers: number;
  denoiserHeads: number;
  denoiserHeadDim: number;
  noiseScheduler: NoiseSchedulerConfig;
  trainedWithCfGuidance: boolean;
  graphs: { context: GraphEntry; crossAttention: GraphEntry; denoiser: GraphEntry };
}

/** reference: DDIMSchedulerConfig, field by field in camelCase. */
export interface NoiseSchedulerConfig {
  numDiffusionTrainSteps: number;
  betaStart: number;
  betaEnd: number;
  betaSchedule: 'linear' | 'scaled_linear' | 'squaredcos_cap_v2' | 'sigmoid';
  scaledLinearExponent: number;
  sigmoidScheduleAlpha: number;
  sigmoidScheduleBeta: number;
  clipSample: boolean;
  clipSampleRange: number;
  setAlphaToOne: boolean;
  predictionType: 'sample' | 'epsilon' | 'v_prediction';
  thresholding: boolean;
  dynamicThresholdingRatio: number;
  sampleMaxValue: number;
  rescaleBetasZeroSnr: boolean;
  timestepSpacing: 'linspace' | 'leading' | 'trailing';
}

export type ConceptModelEntry =
  | RegressionLcmEntry
  | OneTowerLcmEntry
  | TwoTowerLcmEntry
  | QuantLcmEntry;

/** What both kinds of folders say. */
interface ManifestBase {
  version: typeof manifestVersion;
  name: string;
  /** SHA-256 over the source files and options; equal digests mean equal models. */
  sourceDigest: string;
  /**
   * Name of the concept space, `sonar` for the official SONAR models. Concept models run with any
   * encoder and decoder of their space.
   */
  space: string;
  /** E */
  embeddingDim: number;
  conceptModels: readonly ConceptModelEntry[];
}

/** A folder that reads and writes sentences. */
export interface ModelManifest extends ManifestBase {
  kind: 'model';
  tokenizer: TokenizerEntry;
  encoder: EncoderEntry;
  decoder: DecoderEntry;
  /** null when the model has none. */
  entropy: EntropyEntry | null;
  /** null when the model has none. */
  directions: DirectionsEntry | null;
}

/** A folder with concept models only, for a model of the same space that is there already. */
export interface AddOnManifest extends ManifestBase {
  kind: 'conceptModels';
}

export type Manifest = ModelManifest | AddOnManifest;
