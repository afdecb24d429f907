import type { DeviceChoice, DeviceName } from '../model/device.ts';
import type { ConfidenceEntry, GenerationEntry, SamplingEntry } from '../model/manifest.ts';

/*
 * What the features ask of the models. `InferenceClient` answers from the inference thread;
 * tests answer from a fake. Embeddings are Float32Array of length E.
 */

/** How a concept model writes on, sentence after sentence. */
export type Generation = GenerationEntry;

/** How sure a concept model may be of a sentence. */
export type Confidence = ConfidenceEntry;

/** The normalised space of concepts, x̃ = (x − center) / scales; [E] each. */
export interface NormalizerVectors {
  center: Float32Array;
  scales: Float32Array;
}

/** A model that is ready, and where it runs. */
export interface LoadedModel {
  name: string;
  embeddingDim: number;
  langs: readonly string[];
  defaultLang: string;
  /** Names of the concept models, best first: the model's own, then those of its add-ons. */
  conceptModels: readonly string[];
  /** Whether it knows the entropy of bytes. */
  hasEntropies: boolean;
  /** How each of them writes on, by its name. */
  generations: Readonly<Record<string, Generation>>;
  /** How each of them is best sampled, by its name. */
  samplings: Readonly<Record<string, SamplingEntry>>;
  /** How sure each of them may be of a sentence, by its name; null where nobody has measured it. */
  confidences: Readonly<Record<string, Confidence | null>>;
  /** The space in which each of them thinks, by its name; null: that of raw embeddings. */
  normalizers: Readonly<Record<string, NormalizerVectors | null>>;
  /** What it can be bent in by name: in the normalised space, of length 1, [E] each. */
  directions: Readonly<Record<string, Float32Array>>;
  /** What runs the model. */
  device: DeviceName;
  /** Why that is not the device that was asked for; null when it is. */
  deviceNote: string | null;
  loadMs: number;
}

/** How a model is loaded. */
export interface LoadOptions {
  /** Threads of one operator; as many as suit the machine when absent. */
  intraOpNumThreads?: number;
  /** Folders with more concept models of the model's space, in order. */
  addOns?: readonly string[];
  /** What runs the model; found by trying when absent. */
  device?: DeviceChoice;
}

export interface EncodeRequest {
  sentences: readonly string[];
  /** The language of all sentences, or one for each. */
  lang: string | readonly string[];
  /** What is longer than the encoder reads loses its tail, unless it is `refused`. */
  overlong?: 'truncated' | 'refused';
}

export interface DecodeRequest {
  embeddings: readonly Float32Array[];
  lang: string;
  /** 1 decodes greedily. */
  beamSize: number;
  /** Limit of the whole sequence, prompt included; undefined means the model's own. */
  maxSeqLen?: number;
  /** Wordings that are wanted of each concept, at most `beamSize`; 1 when absent. */
  hypotheses?: number;
}

/** A decoded sentence. */
export interface DecodedSentence {
  text: string;
  /** Log-probability per token, normalised as fairseq2 does. */
  score: number;
  /** Other wordings of the same concept, best first, when more than one was wanted. */
  others?: readonly Omit<DecodedSentence, 'others'>[];
}

/** Candidates of one request: each is a row of every diffusion step. */
export const maxCandidates = 64;

/** How a next concept is sampled. Fields that a family does not know are ignored by it. */
export interface SamplingOptions {
  /** Name of the concept model. */
  lcm: string;
  count: number;
  seed: number;
  /** Denoising steps (diffusion). */
  inferenceTimesteps: number;
  guidanceScale: number;
  guidanceRescale: number;
  /** Deviation of the first latents (diffusion), or of the noise added to the prediction (base). */
  initialNoiseScale: number;
  epsilonScaling?: number;
  ddimEta: number;
  /** Spread of the choice among the units of a codebook (quant); the paper's when absent. */
  temperature?: number;
  /** Units of a codebook that may be chosen (quant); the paper's when absent. */
  topK?: number;
}

export interface PredictRequest {
  /** The concepts of the document so far, in order; at least one. */
  context: readonly Float32Array[];
  options: SamplingOptions;
}

/**
 * Requests are served one at a time in the inference thread. Every method rejects with an
 * AbortError when its signal is aborted, at the latest after the running step.
 */
export interface Inference {
  /** Loads the model folder, replacing the model loaded before. */
  load(folder: string, options: LoadOptions, signal?: AbortSignal): Promise<LoadedModel>;
  /** Returns one embedding per sentence, in order. Over-long sentences lose their tail. */
  encode(request: EncodeRequest, signal?: AbortSignal): Promise<Float32Array[]>;
  /** Returns the best sentence for each embedding, in order. */
  decode(request: DecodeRequest, signal?: AbortSignal): Promise<DecodedSentence[]>;
  /** Returns `count` candidates for the next concept. */
  predict(request: PredictRequest, signal?: AbortSignal): Promise<Float32Array[]>;
  /**
   * Returns for each text the entropy in nats of every byte of its UTF-8 given those before it, and
   * of what follows the last one.
   *
   * @throws InvalidRequestError when the model has no entropies
   */
  entropies(texts: readonly string[], signal?: AbortSignal): Promise<Float32Array[]>;
  /**
   * Returns for each text how surprising every byte of its UTF-8 is, − log p in nats.
   *
   * @throws InvalidRequestError when the model has no entropies
   */
  surprisals(texts: readonly string[], signal?: AbortSignal): Promise<Float32Array[]>;
  /** Asks the thread to stop and waits until it has. */
  dispose(): Promise<void>;
}
