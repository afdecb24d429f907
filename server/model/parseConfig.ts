import { CheckpointFormatError, CheckpointUnsupportedError } from '../base/errors.ts';
import { sonarLanguages } from '../text/languages.ts';
import { type Architectures, decoderArchitectures, encoderArchitectures } from './architectures.ts';
import type { SonarDecoderConfig, SonarEncoderConfig, VocabInfo } from './config.ts';
import { type FieldErrors, Fields, parseJson } from './fields.ts';
import {
  dimensions,
  headCounts,
  innerDimensions,
  layerCounts,
  maxConceptModels,
  maxDirections,
  maxLangs,
  sequenceLengths,
  vocabularySizes,
} from './limits.ts';
import { isM2m100Config, m2m100Parts } from './m2m100Config.ts';

/*
 * The configuration of a model: the hyper-parameters of its parts under the field names of the
 * reference's dataclasses, with their defaults. Fields that only matter in training are accepted;
 * fields we cannot honour, and fields nobody knows, are refused by name.
 */

/** A configuration as far as it does not depend on the weights. */
export interface ModelConfig {
  /** null when the configuration has no name. */
  name: string | null;
  /** Name of the concept space; null when the configuration has none. */
  space: string | null;
  /** Language tokens in id order. */
  langs: readonly string[];
  defaultLang: string;
  /** For `parseEncoderConfig`; without fields when the configuration has none. */
  encoder: Fields;
  /** For `parseDecoderConfig`; without fields when the configuration has none. */
  decoder: Fields;
  /** For `parseEntropyConfig`; without fields when the configuration has none. */
  entropy: Fields;
  /** Names of the directions of the concept space; none when the configuration has none. */
  directions: readonly string[];
  /** Configurations of the concept models by name, for `parseConceptModelConfig`. */
  conceptModels: ReadonlyMap<string, Fields>;
}

/** What errors of a configuration are. */
export const configErrors: FieldErrors = {
  malformed: (message) => new CheckpointFormatError(message),
  unsupported: (message) => new CheckpointUnsupportedError(message),
};

/**
 * Parses the configuration of a model: ours, or that of a port to Hugging Face's M2M100.
 *
 * @param label  what errors call it, such as its file name
 * @throws CheckpointFormatError when it is malformed or a value is out of its range
 * @throws CheckpointUnsupportedError when a field asks for what we do not build
 */
export function parseConfig(text: string, label: string): ModelConfig {
  const fields = new Fields(parseJson(text, label, configErrors), `${label}:`, configErrors);
  const parts = isM2m100Config(fields)
    ? new Fields(m2m100Parts(fields), fields.path, configErrors)
    : fields;
  return {
    name: fields.orNull('name', (key) => fields.text(key)),
    space: fields.orNull('space', (key) => fields.text(key)),
    ...parseLangs(fields.object('tokenizer', {})),
    encoder: parts.object('encoder', {}),
    decoder: parts.object('decoder', {}),
    entropy: fields.object('entropy', {}),
    directions: fields.has('directions') ? parseDirectionNames(fields, 'directions') : [],
    conceptModels: parseConceptModels(fields.object('lcm', {})),
  };
}

/**
 * Returns the fields with those of an architecture beneath them, which `arch` names.
 *
 * @throws CheckpointUnsupportedError when `arch` is none of them
 */
export function withArchitecture(fields: Fields, architectures: Architectures): Fields {
  const name = fields.orNull('arch', (key) => fields.choice(key, Object.keys(architectures)));
  if (name === null) return fields;
  const merged = fields.over(architectures[name] ?? {});
  merged.ignore('arch');
  return merged;
}

/** @throws CheckpointFormatError unless the heads share the dimension evenly */
export function checkHeads(fields: Fields, key: string, modelDim: number, numHeads: number): void {
  if (modelDim % numHeads !== 0) throw fields.malformed(key, `a divisor of model_dim ${modelDim}`);
}

/** Positions have sines in one half and cosines in the other, of two frequencies at least. */
function checkPositions(fields: Fields, modelDim: number): void {
  if (modelDim < 4 || modelDim % 2 !== 0) {
    throw fields.malformed('model_dim', 'an even number, 4 or more');
  }
}

function parseLangs(fields: Fields): { langs: readonly string[]; defaultLang: string } {
  const langs = fields.has('langs') ? fields.texts('langs', maxLangs) : sonarLanguages;
  if (langs.length === 0 || new Set(langs).size < langs.length) {
    throw fields.malformed('langs', 'languages, each once');
  }
  const fallback = langs.includes('eng_Latn') ? 'eng_Latn' : langs[0];
  const defaultLang = fields.text('default_lang', fallback);
  if (!langs.includes(defaultLang)) throw fields.malformed('default_lang', 'one of langs');
  fields.close();
  return { langs, defaultLang };
}

/** Names of directions: what a command and a menu can show. */
const directionName = /^[a-z][a-z-]{0,39}$/;

/** Reads the names of directions, of a configuration or of a manifest. */
export function parseDirectionNames(fields: Fields, key: string): string[] {
  const names = fields.texts(key, maxDirections);
  const isGood = names.every((name) => directionName.test(name));
  if (isGood && new Set(names).size === names.length) return names;
  throw fields.malformed(key, 'names of 1 to 40 letters a-z and hyphens, each once');
}

function parseConceptModels(fields: Fields): ReadonlyMap<string, Fields> {
  const names = fields.keys();
  if (names.length > maxConceptModels) {
    throw new CheckpointFormatError(
      `${fields.path}: expected at most ${maxConceptModels} concept models, found ${names.length}`,
    );
  }
  return new Map(names.map((name) => [name, fields.object(name)]));
}

/**
 * Parses the configuration of an encoder. reference: SonarTextEncoderConfig.
 *
 * @throws CheckpointFormatError, CheckpointUnsupportedError as `parseConfig`
 */
export function parseEncoderConfig(given: Fields): SonarEncoderConfig {
  const fields = withArchitecture(given, encoderArchitectures);
  const modelDim = fields.integer('model_dim', dimensions);
  const config: SonarEncoderConfig = {
    modelDim,
    maxSeqLen: fields.integer('max_seq_len', sequenceLengths),
    vocabInfo: parseVocabInfo(fields.object('vocab_info')),
    numEncoderLayers: fields.integer('num_encoder_layers', layerCounts),
    numEncoderAttnHeads: fields.integer('num_encoder_attn_heads', headCounts),
    ffnInnerDim: fields.integer('ffn_inner_dim', innerDimensions),
    pooling: fields.choice('pooling', ['mean', 'max', 'last'], 'mean'),
    activationFn: parseActivationFn(fields),
    layernormEmbedding: fields.choice('layernorm_embedding', [false], false),
    noScaleEmbedding: fields.boolean('no_scale_embedding', false),
    noTokenPositionalEmbeddings: fields.choice('no_token_positional_embeddings', [false], false),
    learnedPos: fields.choice('learned_pos', [false], false),
    normalizeBefore: fields.boolean('normalize_before', false),
    fromFairseq: fields.boolean('_from_fairseq', false),
  };
  checkPositions(fields, modelDim);
  checkHeads(fields, 'num_encoder_attn_heads', modelDim, config.numEncoderAttnHeads);
  checkEmbeddingDim(fields, modelDim);
  fields.ignore('num_decoder_layers', 'num_decoder_attn_heads', 'decoder_ffn_inner_dim');
  fields.ignore('emb_dropout_p', 'attention_dropout_p', 'activation_dropout_p');
  fields.close();
  return config;
}

/**
 * Parses the configuration of a decoder. reference: SonarTextDecoderConfig; its fields without
 * defaults take those of the encoder's.
 *
 * @throws CheckpointFormatError, CheckpointUnsupportedError as `parseConfig`
 */
export function parseDecoderConfig(given: Fields): SonarDecoderConfig {
  const fields = withArchitecture(given, decoderArchitectures);
  const modelDim = fields.integer('model_dim', dimensions);
  const config: SonarDecoderConfig = {
    modelDim,
    maxSeqLen: fields.integer('max_seq_len', sequenceLengths),
    vocabInfo: parseVocabInfo(fields.object('vocab_info')),
    numDecoderLayers: fields.integer('num_decoder_layers', layerCounts),
    numDecoderAttnHeads: parseDecoderHeads(fields),
    ffnInnerDim: fields.integer('ffn_inner_dim', innerDimensions),
    inputDim: fields.orNull('input_dim', (key) => fields.integer(key, dimensions)),
    activationFn: parseActivationFn(fields),
    layernormEmbedding: fields.choice('layernorm_embedding', [false], false),
    noScaleEmbedding: fields.boolean('no_scale_embedding', false),
    noTokenPositionalEmbeddings: fields.choice('no_token_positional_embeddings', [false], false),
    learnedPos: fields.choice('learned_pos', [false], false),
  };
  checkPositions(fields, modelDim);
  checkHeads(fields, 'num_decoder_attn_heads', modelDim, config.numDecoderAttnHeads);
  fields.ignore('num_encoder_layers', 'normalize_before');
  fields.ignore('emb_dropout_p', 'attention_dropout_p', 'activation_dropout_p');
  fields.close();
  return config;
}

/** The reference builds the decoder with the heads of the encoder, which are the same in all. */
function parseDecoderHeads(fields: Fields): number {
  const numHeads = fields.integer('num_decoder_attn_heads', headCounts);
  const numEncoderHeads = fields.integer('num_encoder_attn_heads', headCounts, numHeads);
  if (numEncoderHeads !== numHeads) {
    throw fields.unsupported('num_encoder_attn_heads', `${numHeads} as in num_decoder_attn_heads`);
  }
  return numHeads;
}

/** reference: VocabularyInfo; all architectures of SONAR have these indices. */
function parseVocabInfo(fields: Fields): VocabInfo {
  const size = fields.integer('size', vocabularySizes);
  const indices = { min: 0, max: size - 1 };
  const vocabInfo = {
    size,
    unkIdx: fields.integer('unk_idx', indices, 1),
    bosIdx: fields.integer('bos_idx', indices, 2),
    eosIdx: fields.integer('eos_idx', indices, 3),
    padIdx: fields.integer('pad_idx', indices, 1),
  };
  fields.ignore('boh_idx', 'eoh_idx');
  fields.close();
  return vocabInfo;
}

/** The name of a torch.nn module; null is ReLU. */
function parseActivationFn(fields: Fields): string {
  return fields.orNull('activation_fn', (key) => fields.choice(key, ['ReLU'])) ?? 'ReLU';
}

/** An embedding of another dimension comes from attention pooling only. */
function checkEmbeddingDim(fields: Fields, modelDim: number): void {
  const embeddingDim =
    fields.orNull('embedding_dim', (key) => fields.integer(key, dimensions)) ?? modelDim;
  if (embeddingDim !== modelDim) {
    throw fields.unsupported('embedding_dim', `model_dim ${modelDim}`);
  }
}
