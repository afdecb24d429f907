import type { PartPrecisions, Precision } from './manifest.ts';

/**
 * The files of a model before it is compiled, and what they do not say themselves.
 *
 * With encoder, decoder and tokenizer they make a model; with none of the three an add-on, which
 * holds only concept models.
 */
export interface ModelSources {
  encoder?: string | undefined;
  decoder?: string | undefined;
  /** The SentencePiece model. */
  tokenizer?: string | undefined;
  /** The byte entropy model, which a model may do without. */
  entropy?: string | undefined;
  /** Directions of the concept space by their names, which a model may do without. */
  directions?: string | undefined;
  /** Files of the concept models by name, in the order of the manifest. */
  lcms: Readonly<Record<string, string>>;
  /** Hyper-parameters, languages and name in JSON; see `parseConfig`. */
  config?: string | undefined;
  /** Hyper-parameters of single concept models in JSON, by their names. */
  lcmConfigs?: Readonly<Record<string, string>> | undefined;
  /** Names of registered architectures for `encoder`, `decoder` and the names of concept models. */
  archs?: Readonly<Record<string, string>> | undefined;
  /** How linear layers hold their weights: of all parts, or of each. */
  precision?: Precision | Partial<PartPrecisions> | undefined;
  /** Codes of the languages that the decoder is for; without them it knows all its tokens. */
  vocabularyLangs?: readonly string[] | undefined;
  /** Name of the concept space; see `Manifest.space`. */
  space?: string | undefined;
  /** Name of the model; without it that of the configuration or of the folder. */
  name?: string | undefined;
}
