import { CheckpointFormatError, WeightMismatchError } from '../base/errors.ts';
import type { ConceptModelConfig, SonarDecoderConfig } from '../model/config.ts';
import { maxConfigBytes } from '../model/limits.ts';
import type { Precision } from '../model/manifest.ts';
import { parseConceptModelConfig } from '../model/parseConceptModelConfig.ts';
import { type ModelConfig, parseConfig } from '../model/parseConfig.ts';
import { readWholeFile } from './checkpoint/byteSource.ts';
import { countPieces, maxTokenizerBytes } from './checkpoint/sentencePiece.ts';
import { openStateDict, type StateDict } from './checkpoint/stateDict.ts';
import { defaultPrecision, type ModelSources } from './compileRequest.ts';
import { buildBaseLcm } from './models/baseLcm.ts';
import { buildSonarDecoder } from './models/sonarDecoder.ts';
import { buildSonarEncoder } from './models/sonarEncoder.ts';
import { readNormalizer, type SonarNormalizer } from './models/sonarNormalizer.ts';
import { buildTwoTowerLcm } from './models/twoTowerLcm.ts';
import { type SerializedGraph, serialize } from './onnx/serialize.ts';

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
  /** By their names in the manifest. */
  graphs: Readonly<Record<string, PlannedGraph>>;
}

export interface ModelPlan {
  precision: Precision;
  config: ModelConfig;
  /** Bytes of the SentencePiece model. */
  tokenizer: Uint8Array;
  encoder: PlannedGraph;
  decoder: { prepare: PlannedGraph; step: PlannedGraph };
  conceptModels: readonly PlannedConceptModel[];
  /** Closes the checkpoints; the graphs' weights cannot be read any more. */
  dispose(): void;
}

/** `<pad>` in front of the pieces, and three tags of mined data behind the languages. */
const padTokens = 1;
const dataTags = 3;

/**
 * Reads the sources and builds every graph.
 *
 * @throws CheckpointFormatError when a file is missing or malformed
 * @throws CheckpointUnsupportedError when it asks for what we do not build
 * @throws WeightMismatchError when the files do not belong together
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

function planParts(
  sources: ModelSources,
  open: (file: string) => StateDict,
): Omit<ModelPlan, 'dispose'> {
  const { precision = defaultPrecision } = sources;
  const config = parseConfig(readText(sources.config), sources.config);
  const tokenizer = readWholeFile(sources.tokenizer, maxTokenizerBytes);
  checkDimensions(sources.config, config);
  checkVocabulary(sources, config, countPieces(tokenizer, sources.tokenizer));

  const encoder = buildSonarEncoder(config.encoder, open(sources.encoder), { precision });
  const { prepare, step } = buildSonarDecoder(config.decoder, open(sources.decoder), { precision });
  return {
    precision,
    config,
    tokenizer,
    encoder: plan('encoder', encoder),
    decoder: { prepare: plan('decoder.prepare', prepare), step: plan('decoder.step', step) },
    conceptModels: Object.entries(sources.lcms).map(([name, file]) =>
      planConceptModel({ name, configFile: sources.config, config, precision }, open(file)),
    ),
  };
}

function planConceptModel(
  parts: { name: string; configFile: string; config: ModelConfig; precision: Precision },
  stateDict: StateDict,
): PlannedConceptModel {
  const { name, configFile, precision } = parts;
  const fields = parts.config.conceptModels.get(name);
  if (fields === undefined) {
    const known = [...parts.config.conceptModels.keys()].join(', ') || 'none';
    throw new CheckpointFormatError(
      `${configFile}: expected the hyper-parameters of lcm.${name}, found ${known}`,
    );
  }
  const config = parseConceptModelConfig(fields, stateDict.names());
  const embeddingDim = parts.config.encoder.modelDim;
  requireEqual(`${fields.path}.sonar_embed_dim`, config.sonarEmbedDim, embeddingDim);
  const graphs =
    config.modelType === 'base_lcm'
      ? buildBaseLcm(config, stateDict, { precision })
      : buildTwoTowerLcm(config, stateDict, { precision });
  const planned = Object.entries(graphs).map(
    ([graph, built]) => [graph, plan(`${name}.${graph}`, built)] as const,
  );
  return {
    name,
    config,
    normalizer: readNormalizer(stateDict, config),
    graphs: Object.fromEntries(planned),
  };
}

function plan(stem: string, graph: Parameters<typeof serialize>[0]): PlannedGraph {
  return { stem, serialized: serialize(graph, weightsFile(stem)) };
}

/** Returns the name of the external-data file, which the model file repeats. */
export function weightsFile(stem: string): string {
  return `${stem}.bin`;
}

function readText(file: string): string {
  const bytes = readWholeFile(file, maxConfigBytes);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new CheckpointFormatError(`${file}: expected text in UTF-8, found other bytes`, {
      cause,
    });
  }
}

/** Holds that the decoder reads what the encoder writes. */
function checkDimensions(configFile: string, { encoder, decoder }: ModelConfig): void {
  requireEqual(`${configFile}: decoder.input_dim`, embeddingDimOf(decoder), encoder.modelDim);
}

function embeddingDimOf({ inputDim, modelDim }: SonarDecoderConfig): number {
  return inputDim ?? modelDim;
}

function requireEqual(field: string, found: number, expected: number): void {
  if (found === expected) return;
  throw new WeightMismatchError(`${field}: expected ${expected} as in the encoder, found ${found}`);
}

/** Holds that every token has a row in the embeddings, and every row a token. */
function checkVocabulary(
  { config: configFile, tokenizer }: ModelSources,
  { encoder, decoder, langs }: ModelConfig,
  numPieces: number,
): void {
  const numTokens = numPieces + padTokens + langs.length + dataTags;
  for (const [part, { vocabInfo }] of Object.entries({ encoder, decoder })) {
    if (vocabInfo.size === numTokens) continue;
    throw new WeightMismatchError(
      `${configFile}: ${part}.vocab_info.size: expected ${numTokens} ` +
        `(${numPieces} pieces of ${tokenizer}, ${langs.length} languages, ` +
        `${padTokens + dataTags} others), found ${vocabInfo.size}`,
    );
  }
}
