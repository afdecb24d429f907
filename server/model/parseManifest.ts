import { IntegrityError } from '../base/errors.ts';
import { Fields, parseJson } from './fields.ts';
import {
  dimensions,
  entropyLengths,
  headCounts,
  layerCounts,
  maxConceptModels,
  maxLangs,
  vocabularySizes,
} from './limits.ts';
import {
  type DecoderEntry,
  type DirectionsEntry,
  type EncoderEntry,
  type EntropyEntry,
  type FileEntry,
  type GraphEntry,
  type Manifest,
  manifestVersion,
  precisions,
  type ShortlistEntry,
  shortlistSize,
  type TokenizerEntry,
} from './manifest.ts';
import {
  manifestErrors,
  manifestLengths,
  matching,
  parseFile,
  parseGraph,
  sha256Digest,
} from './manifestFields.ts';
import { parseConceptModelEntry } from './parseConceptModelEntry.ts';
import { parseDirectionNames } from './parseConfig.ts';

/**
 * Parses the manifest of a compiled model.
 *
 * @param label  what errors call it, such as its path
 * @throws IntegrityError when it is malformed or of another version: prepare the model again
 */
export function parseManifest(text: string, label: string): Manifest {
  const fields = new Fields(parseJson(text, label, manifestErrors), `${label}:`, manifestErrors);
  const versions = { min: manifestVersion, max: manifestVersion };
  fields.integer('version', versions);
  const kind = fields.choice('kind', ['model', 'conceptModels']);
  const common = {
    version: manifestVersion,
    name: fields.text('name'),
    sourceDigest: matching(fields, 'sourceDigest', sha256Digest, 'a SHA-256 digest'),
    space: fields.text('space'),
    embeddingDim: fields.integer('embeddingDim', dimensions),
    conceptModels: fields.objects('conceptModels', maxConceptModels).map(parseConceptModelEntry),
  } as const;
  const names = common.conceptModels.map(({ name }) => name);
  if (new Set(names).size < names.length) {
    throw fields.malformed('conceptModels', 'each name once');
  }
  if (kind === 'conceptModels') return { kind, ...common };
  const tokenizer = parseTokenizer(fields.object('tokenizer'));
  return {
    kind,
    ...common,
    tokenizer,
    encoder: parseEncoder(fields.object('encoder')),
    decoder: parseDecoder(fields.object('decoder'), tokenizer.langs),
    entropy: fields.orNull('entropy', (key) => parseEntropy(fields.object(key))),
    directions: fields.orNull('directions', (key) =>
      parseDirections(fields.object(key), common.embeddingDim),
    ),
  };
}

/**
 * Compares the sizes of the files with what the manifest promises: cheap, and enough to notice
 * whatever was interrupted.
 *
 * @param sizeOf  size of a file of the folder in bytes, or null when it is missing
 * @throws IntegrityError when a file is missing or has another size
 */
export function checkFileSizes(
  manifest: Manifest,
  label: string,
  sizeOf: (file: string) => number | null,
): void {
  for (const { file, sizeBytes } of manifestFiles(manifest)) {
    const found = sizeOf(file);
    if (found !== sizeBytes) {
      throw new IntegrityError(
        `${label}: ${file}: expected ${sizeBytes} bytes, found ${found ?? 'no file'}`,
      );
    }
  }
}

/** Returns every file that a manifest names, itself not included. */
export function manifestFiles(manifest: Manifest): readonly FileEntry[] {
  const files: FileEntry[] = [];
  const graphs: GraphEntry[] = [];
  if (manifest.kind === 'model') {
    const { tokenizer, encoder, decoder, entropy, directions } = manifest;
    files.push(tokenizer.file);
    if (directions !== null) files.push(directions.file);
    if (decoder.shortlist !== null) files.push(decoder.shortlist.file);
    graphs.push(encoder.graph, decoder.prepare, decoder.step);
    if (entropy !== null) graphs.push(entropy.graph);
  }
  for (const entry of manifest.conceptModels) {
    graphs.push(...Object.values<GraphEntry>(entry.graphs));
    if (entry.normalizer !== null) files.push(entry.normalizer.file);
    if (entry.family === 'quant_lcm') files.push(entry.quantizer.file);
  }
  return [...files, ...graphs.flatMap(({ model, weights }) => [model, weights])];
}

function parseTokenizer(fields: Fields): TokenizerEntry {
  const langs = fields.texts('langs', maxLangs);
  const defaultLang = fields.text('defaultLang');
  if (!langs.includes(defaultLang)) throw fields.malformed('defaultLang', 'one of langs');
  return { file: parseFile(fields.object('file')), langs, defaultLang };
}

function parseEncoder(fields: Fields): EncoderEntry {
  return {
    precision: fields.choice('precision', precisions),
    modelDim: fields.integer('modelDim', dimensions),
    maxSeqLen: fields.integer('maxSeqLen', manifestLengths),
    graph: parseGraph(fields.object('graph')),
  };
}

function parseEntropy(fields: Fields): EntropyEntry {
  return {
    precision: fields.choice('precision', precisions),
    maxSeqLen: fields.integer('maxSeqLen', entropyLengths),
    graph: parseGraph(fields.object('graph')),
  };
}

function parseDirections(fields: Fields, embeddingDim: number): DirectionsEntry {
  const names = parseDirectionNames(fields, 'names');
  const file = fields.object('file');
  const entry = { names, file: parseFile(file) };
  const sizeBytes = names.length * embeddingDim * Float32Array.BYTES_PER_ELEMENT;
  if (entry.file.sizeBytes === sizeBytes) return entry;
  throw file.malformed('sizeBytes', `${sizeBytes}, 4 bytes for each of their numbers`);
}

function parseDecoder(fields: Fields, langs: readonly string[]): DecoderEntry {
  const vocabInfo = fields.object('vocabInfo');
  const indices = { min: 0, max: vocabularySizes.max };
  const vocabSize = fields.integer('vocabSize', vocabularySizes);
  return {
    precision: fields.choice('precision', precisions),
    modelDim: fields.integer('modelDim', dimensions),
    numLayers: fields.integer('numLayers', layerCounts),
    numAttnHeads: fields.integer('numAttnHeads', headCounts),
    headDim: fields.integer('headDim', dimensions),
    vocabSize,
    maxSeqLen: fields.integer('maxSeqLen', manifestLengths),
    vocabInfo: {
      size: vocabInfo.integer('size', vocabularySizes),
      unkIdx: vocabInfo.integer('unkIdx', indices),
      bosIdx: vocabInfo.integer('bosIdx', indices),
      eosIdx: vocabInfo.integer('eosIdx', indices),
      padIdx: vocabInfo.integer('padIdx', indices),
    },
    shortlist: fields.orNull('shortlist', (key) =>
      parseShortlistEntry(fields.object(key), { langs, vocabSize }),
    ),
    prepare: parseGraph(fields.object('prepare')),
    step: parseGraph(fields.object('step')),
  };
}

/** @param known  the languages and the number of tokens of the tokenizer */
function parseShortlistEntry(
  fields: Fields,
  known: { langs: readonly string[]; vocabSize: number },
): ShortlistEntry {
  const langs = fields.texts('langs', maxLangs);
  if (langs.length === 0 || !langs.every((lang) => known.langs.includes(lang))) {
    throw fields.malformed('langs', "some of the tokenizer's languages");
  }
  const file = fields.object('file');
  const entry = { langs, file: parseFile(file) };
  const numTokens = shortlistSize(entry);
  if (!Number.isInteger(numTokens) || numTokens < 1 || numTokens > known.vocabSize) {
    throw file.malformed('sizeBytes', `4 bytes for each of 1 to ${known.vocabSize} tokens`);
  }
  return entry;
}
