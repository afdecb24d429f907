import { assert, InvalidRequestError, WeightMismatchError } from '../base/errors.ts';
import type {
  ConceptModelConfig,
  EntropyModelConfig,
  SonarDecoderConfig,
  SonarEncoderConfig,
} from '../model/config.ts';
import type { PartPrecisions } from '../model/manifest.ts';
import type { ModelSources } from '../model/modelSources.ts';
import { parseEntropyConfig } from '../model/parseEntropyConfig.ts';
import { readWholeFile } from './checkpoint/byteSource.ts';
import { countPieces, maxTokenizerBytes, readPieceTexts } from './checkpoint/sentencePiece.ts';
import { openStateDict, type StateDict } from './checkpoint/stateDict.ts';
import { partPrecisions } from './compileRequest.ts';
import { buildConceptModel } from './conceptModels.ts';
import { type Directions, readDirections } from './directions.ts';
import { type GivenConfig, type GivenConfigs, readGivenConfigs } from './givenConfig.ts';
import { canonicalWeights } from './layouts/canonicalWeights.ts';
import { buildEntropyModel } from './models/entropyModel.ts';
import type { BuildOptions } from './models/model.ts';
import { type Codebooks, openCodebooks } from './models/quantLcm.ts';
import { buildSonarDecoder } from './models/sonarDecoder.ts';
import { buildSonarEncoder } from './models/sonarEncoder.ts';
import { readNormalizer, type SonarNormalizer } from './models/sonarNormalizer.ts';
import { type SerializedGraph, serialize } from './onnx/serialize.ts';
import type { WeightSource } from './onnx/weights.ts';
import { configureConceptModel, configureDecoder, configureEncoder } from './partConfig.ts';
import { chooseShortlist, type Shortlist } from './vocabularyShortlist.ts';

/*
 * What a model folder will hold, known before a byte of it is written: everything that can be
 * wrong with the sources is found here, except numbers that are not finite.
 */

/** A graph, and the stem of its two files. */
export interface PlannedGraph {
  /** `encoder` becomes encoder.onnx and encoder.bin. */
  stem: string;
  serialized: SerializedGraph;
}

export interface PlannedConceptModel {
  name: string;
  config: ConceptModelConfig;
  normalizer: SonarNormalizer | null;
  codebooks: Codebooks | null;
  /** By their names in the manifest. */
  graphs: Readonly<Record<string, PlannedGraph>>;
}

/** What reads and writes sentences. */
export interface PlannedCodec {
  /** Bytes of the SentencePiece model. */
  tokenizer: Uint8Array;
  langs: readonly string[];
  defaultLang: string;
  encoderConfig: SonarEncoderConfig;
  decoderConfig: SonarDecoderConfig;
  /** null when the decoder keeps its whole vocabulary. */
  shortlist: Shortlist | null;
  encoder: PlannedGraph;
  decoder: { prepare: PlannedGraph; step: PlannedGraph };
  /** null when the sources have none. */
  entropy: PlannedEntropyModel | null;
  /** null when the sources have none. */
  directions: Directions | null;
}

/** A byte model; its precision is that of the encoder. */
export interface PlannedEntropyModel {
  config: EntropyModelConfig;
  graph: PlannedGraph;
}

export interface ModelPlan {
  /** null when the sources have no name for it. */
  name: string | null;
  /** null when the space is the model's own and bears its name. */
  space: string | null;
  embeddingDim: number;
  precisions: PartPrecisions;
  /** null for an add-on, which is for a model that is there already. */
  codec: PlannedCodec | null;
  conceptModels: readonly PlannedConceptModel[];
  /** Closes the checkpoints; the graphs' weights cannot be read any more. */
  dispose(): void;
}

/** The space of the official SONAR models, and how they are recognised. */
const sonarSpace = { name: 'sonar', embeddingDim: 1024, vocabSize: 256206 };

/** `<pad>` in front of the pieces, and three tags of mined data behind the languages. */
const padTokens = 1;
const dataTags = 3;

/**
 * Reads the sources and builds every graph.
 *
 * @throws CheckpointFormatError when a file is missing or malformed
 * @throws CheckpointUnsupportedError when it asks for what we do not build
 * @throws WeightMismatchError when the files do not belong together
 * @throws InvalidRequestError for a language of the vocabulary that the model does not know
 */
export function planModel(sources: ModelSources, signal?: AbortSignal): ModelPlan {
  const opened: StateDict[] = [];
  const open = (file: string) => {
    signal?.throwIfAborted();
    const stateDict = openStateDict(file);
    opened.push(stateDict);
    return stateDict;
  };
  const dispose = () => {
    for (const stateDict of opened) stateDict.dispose();
  };
  try {
    return { ...planParts(sources, open), dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}

function planParts(sources: ModelSources, open: OpenStateDict): Omit<ModelPlan, 'dispose'> {
  const precisions = partPrecisions(sources.precision);
  const given = readGivenConfigs(sources);
  const codec = planCodec(sources, given, precisions, open);
  let concepts: Concepts | null = codec && {
    embeddingDim: codec.encoderConfig.modelDim,
    whose: 'the encoder',
  };
  const conceptModels: PlannedConceptModel[] = [];
  for (const [name, file] of Object.entries(sources.lcms)) {
    const options = { precision: precisions.conceptModels };
    const parts = { name, given: given.conceptModel(name, file), concepts, options };
    const planned = planConceptModel(parts, canonicalWeights(open(file), 'conceptModel'));
    concepts ??= { embeddingDim: planned.config.sonarEmbedDim, whose: `lcm.${name}` };
    conceptModels.push(planned);
  }
  assert(concepts !== null, 'sources: expected an encoder or a concept model');
  const { embeddingDim } = concepts;
  return {
    name: sources.name ?? given.config.name,
    space: sources.space ?? given.config.space ?? findSpace(codec, embeddingDim),
    embeddingDim,
    precisions,
    codec,
    conceptModels,
  };
}

/** What all parts must agree about: E, and the part that said so first. */
interface Concepts {
  embeddingDim: number;
  whose: string;
}

/** Opens a checkpoint. */
type OpenStateDict = (file: string) => StateDict;

/** @returns null for an add-on */
function planCodec(
  sources: ModelSources,
  given: GivenConfigs,
  precisions: PartPrecisions,
  open: OpenStateDict,
): PlannedCodec | null {
  const { encoder: encoderFile, decoder: decoderFile, tokenizer: tokenizerFile, config } = sources;
  if (encoderFile === undefined || decoderFile === undefined || tokenizerFile === undefined) {
    return null;
  }
  const encoderWeights = canonicalWeights(open(encoderFile), 'encoder');
  const decoderWeights = canonicalWeights(open(decoderFile), 'decoder');
  const encoderConfig = configureEncoder(encoderWeights, given.codecPart('encoder', encoderFile));
  const decoderConfig = configureDecoder(decoderWeights, given.codecPart('decoder', decoderFile));
  const { langs, defaultLang } = given.config;
  requireEqual(
    `${config ?? decoderFile}: decoder.input_dim`,
    decoderConfig.inputDim ?? decoderConfig.modelDim,
    { expected: encoderConfig.modelDim, whose: 'the encoder' },
  );
  const tokenizer = readWholeFile(tokenizerFile, maxTokenizerBytes);
  const numPieces = countPieces(tokenizer, tokenizerFile);
  const tokens = { tokenizerFile, numPieces, langs };
  checkVocabulary(`${config ?? encoderFile}: encoder`, encoderConfig.vocabInfo.size, tokens);
  checkVocabulary(`${config ?? decoderFile}: decoder`, decoderConfig.vocabInfo.size, tokens);
  const { vocabularyLangs } = sources;
  const shortlist =
    vocabularyLangs === undefined
      ? null
      : chooseShortlist(vocabularyLangs, {
          langs,
          pieces: readPieceTexts(tokenizer, tokenizerFile),
          vocabInfo: decoderConfig.vocabInfo,
        });

  const encoder = buildSonarEncoder(encoderConfig, encoderWeights, {
    precision: precisions.encoder,
  });
  const { prepare, step } = buildSonarDecoder(decoderConfig, decoderWeights, {
    precision: precisions.decoder,
    shortlist: shortlist?.ids ?? null,
  });
  return {
    tokenizer,
    langs,
    defaultLang,
    encoderConfig,
    decoderConfig,
    shortlist,
    encoder: plan('encoder', encoder),
    decoder: { prepare: plan('decoder.prepare', prepare), step: plan('decoder.step', step) },
    entropy: planEntropyModel(sources, given, precisions, open),
    directions:
      sources.directions === undefined
        ? null
        : readDirections(open(sources.directions), given.config.directions, encoderConfig.modelDim),
  };
}

function planEntropyModel(
  { entropy: file }: ModelSources,
  given: GivenConfigs,
  { encoder: precision }: PartPrecisions,
  open: OpenStateDict,
): PlannedEntropyModel | null {
  if (file === undefined) return null;
  const config = parseEntropyConfig(given.entropy(file));
  const graph = buildEntropyModel(config, canonicalWeights(open(file), 'entropy'), { precision });
  return { config, graph: plan('entropy', graph) };
}

function planConceptModel(
  {
    name,
    given,
    concepts,
    options,
  }: { name: string; given: GivenConfig; concepts: Concepts | null; options: BuildOptions },
  weights: WeightSource,
): PlannedConceptModel {
  const config = configureConceptModel(weights, given);
  if (concepts !== null) {
    const { embeddingDim: expected, whose } = concepts;
    const field = `${given.fields.path}.sonar_embed_dim`;
    requireEqual(field, config.sonarEmbedDim, { expected, whose });
  }
  const graphs = buildConceptModel(config, weights, options);
  const planned = Object.entries(graphs).map(
    ([graph, built]) => [graph, plan(`${name}.${graph}`, built)] as const,
  );
  return {
    name,
    config,
    normalizer: readNormalizer(weights, config),
    codebooks: config.modelType === 'quant_lcm' ? openCodebooks(config, weights) : null,
    graphs: Object.fromEntries(planned),
  };
}

/** @throws InvalidRequestError when nothing tells for which models an add-on is */
function findSpace(codec: PlannedCodec | null, embeddingDim: number): string | null {
  const { name, embeddingDim: sonarDim, vocabSize } = sonarSpace;
  if (codec !== null) {
    const isSonar = embeddingDim === sonarDim && codec.encoderConfig.vocabInfo.size === vocabSize;
    return isSonar ? name : null;
  }
  if (embeddingDim === sonarDim) return name;
  throw new InvalidRequestError(
    `space: expected the name of the space of these concept models (${embeddingDim} numbers a ` +
      'concept), found none',
  );
}

function plan(stem: string, graph: Parameters<typeof serialize>[0]): PlannedGraph {
  return { stem, serialized: serialize(graph, weightsFile(stem)) };
}

/** Returns the name of the external-data file, which the model file repeats. */
export function weightsFile(stem: string): string {
  return `${stem}.bin`;
}

function requireEqual(
  field: string,
  found: number,
  { expected, whose }: { expected: number; whose: string },
): void {
  if (found === expected) return;
  throw new WeightMismatchError(`${field}: expected ${expected} as in ${whose}, found ${found}`);
}

/** Holds that every token has a row in the embeddings, and every row a token. */
function checkVocabulary(
  part: string,
  vocabSize: number,
  {
    tokenizerFile,
    numPieces,
    langs,
  }: { tokenizerFile: string; numPieces: number; langs: readonly string[] },
): void {
  const numTokens = numPieces + padTokens + langs.length + dataTags;
  if (vocabSize === numTokens) return;
  throw new WeightMismatchError(
    `${part}.vocab_info.size: expected ${numTokens} ` +
      `(${numPieces} pieces of ${tokenizerFile}, ${langs.length} languages, ` +
      `${padTokens + dataTags} others), found ${vocabSize}; a configuration says other languages ` +
      'with {"tokenizer":{"langs":[…]}}',
  );
}
