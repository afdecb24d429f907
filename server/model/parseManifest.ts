import { IntegrityError } from '../base/errors.ts';
import { type FieldErrors, Fields, parseJson } from './fields.ts';
import {
  diffusionTrainSteps,
  dimensions,
  finiteNumbers,
  headCounts,
  layerCounts,
  maxConceptModels,
  maxLangs,
  sequenceLengths,
  vocabularySizes,
} from './limits.ts';
import {
  type BaseLcmEntry,
  type ConceptModelEntry,
  type DecoderEntry,
  type EncoderEntry,
  type FileEntry,
  type GraphEntry,
  type Manifest,
  manifestVersion,
  type NoiseSchedulerConfig,
  precisions,
  type TokenizerEntry,
  type TwoTowerLcmEntry,
} from './manifest.ts';

/** Names of concept models, which become parts of file names. */
export const conceptModelName = /^[a-z0-9-]{1,40}$/;

/** A bare name without folders, so that a manifest cannot point out of its folder. */
const bareFileName = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,119}$/;

const sha256Digest = /^[0-9a-f]{64}$/;

/** The encoder may add a padding index and one more to its length; see `encoderMaxSeqLen`. */
const manifestLengths = { min: 1, max: sequenceLengths.max + vocabularySizes.max + 1 };

const fileSizes = { min: 0, max: Number.MAX_SAFE_INTEGER };

const manifestErrors: FieldErrors = {
  malformed: (message) => new IntegrityError(message),
  unsupported: (message) => new IntegrityError(message),
};

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
    conceptModels: fields.objects('conceptModels', maxConceptModels).map(parseConceptModel),
  } as const;
  const names = common.conceptModels.map(({ name }) => name);
  if (new Set(names).size < names.length) {
    throw fields.malformed('conceptModels', 'each name once');
  }
  if (kind === 'conceptModels') return { kind, ...common };
  return {
    kind,
    ...common,
    tokenizer: parseTokenizer(fields.object('tokenizer')),
    encoder: parseEncoder(fields.object('encoder')),
    decoder: parseDecoder(fields.object('decoder')),
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
    const { tokenizer, encoder, decoder } = manifest;
    files.push(tokenizer.file);
    graphs.push(encoder.graph, decoder.prepare, decoder.step);
  }
  for (const entry of manifest.conceptModels) {
    if (entry.family === 'base_lcm') graphs.push(entry.graph);
    else graphs.push(entry.context, entry.crossAttention, entry.denoiser);
    if (entry.normalizer !== null) files.push(entry.normalizer.file);
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

function parseDecoder(fields: Fields): DecoderEntry {
  const vocabInfo = fields.object('vocabInfo');
  const indices = { min: 0, max: vocabularySizes.max };
  return {
    precision: fields.choice('precision', precisions),
    modelDim: fields.integer('modelDim', dimensions),
    numLayers: fields.integer('numLayers', layerCounts),
    numAttnHeads: fields.integer('numAttnHeads', headCounts),
    headDim: fields.integer('headDim', dimensions),
    vocabSize: fields.integer('vocabSize', vocabularySizes),
    maxSeqLen: fields.integer('maxSeqLen', manifestLengths),
    vocabInfo: {
      size: vocabInfo.integer('size', vocabularySizes),
      unkIdx: vocabInfo.integer('unkIdx', indices),
      bosIdx: vocabInfo.integer('bosIdx', indices),
      eosIdx: vocabInfo.integer('eosIdx', indices),
      padIdx: vocabInfo.integer('padIdx', indices),
    },
    prepare: parseGraph(fields.object('prepare')),
    step: parseGraph(fields.object('step')),
  };
}

function parseConceptModel(fields: Fields): ConceptModelEntry {
  const family = fields.choice('family', ['base_lcm', 'two_tower_diffusion_lcm']);
  const common = {
    name: matching(fields, 'name', conceptModelName, 'letters a-z, digits and hyphens'),
    precision: fields.choice('precision', precisions),
    modelDim: fields.integer('modelDim', dimensions),
    maxSeqLen: fields.integer('maxSeqLen', manifestLengths),
    normalizer: fields.orNull('normalizer', (key) => ({
      file: parseFile(fields.object(key).object('file')),
    })),
  };
  return family === 'base_lcm'
    ? parseBaseLcm(fields, { family, ...common })
    : parseTwoTowerLcm(fields, { family, ...common });
}

type Common<T extends ConceptModelEntry> = Pick<
  T,
  'family' | 'name' | 'precision' | 'modelDim' | 'maxSeqLen' | 'normalizer'
>;

function parseBaseLcm(fields: Fields, common: Common<BaseLcmEntry>): BaseLcmEntry {
  return {
    ...common,
    numLayers: fields.integer('numLayers', layerCounts),
    numAttnHeads: fields.integer('numAttnHeads', headCounts),
    headDim: fields.integer('headDim', dimensions),
    graph: parseGraph(fields.object('graph')),
  };
}

function parseTwoTowerLcm(fields: Fields, common: Common<TwoTowerLcmEntry>): TwoTowerLcmEntry {
  return {
    ...common,
    contextLayers: fields.integer('contextLayers', layerCounts),
    contextHeads: fields.integer('contextHeads', headCounts),
    contextHeadDim: fields.integer('contextHeadDim', dimensions),
    denoiserLayers: fields.integer('denoiserLayers', layerCounts),
    denoiserHeads: fields.integer('denoiserHeads', headCounts),
    denoiserHeadDim: fields.integer('denoiserHeadDim', dimensions),
    noiseScheduler: parseNoiseScheduler(fields.object('noiseScheduler')),
    trainedWithCfGuidance: fields.boolean('trainedWithCfGuidance'),
    context: parseGraph(fields.object('context')),
    crossAttention: parseGraph(fields.object('crossAttention')),
    denoiser: parseGraph(fields.object('denoiser')),
  };
}

function parseNoiseScheduler(fields: Fields): NoiseSchedulerConfig {
  return {
    numDiffusionTrainSteps: fields.integer('numDiffusionTrainSteps', diffusionTrainSteps),
    betaStart: fields.number('betaStart', finiteNumbers),
    betaEnd: fields.number('betaEnd', finiteNumbers),
    betaSchedule: fields.choice('betaSchedule', [
      'linear',
      'scaled_linear',
      'squaredcos_cap_v2',
      'sigmoid',
    ]),
    scaledLinearExponent: fields.number('scaledLinearExponent', finiteNumbers),
    sigmoidScheduleAlpha: fields.number('sigmoidScheduleAlpha', finiteNumbers),
    sigmoidScheduleBeta: fields.number('sigmoidScheduleBeta', finiteNumbers),
    clipSample: fields.boolean('clipSample'),
    clipSampleRange: fields.number('clipSampleRange', finiteNumbers),
    setAlphaToOne: fields.boolean('setAlphaToOne'),
    predictionType: fields.choice('predictionType', ['sample', 'epsilon', 'v_prediction']),
    thresholding: fields.boolean('thresholding'),
    dynamicThresholdingRatio: fields.number('dynamicThresholdingRatio', finiteNumbers),
    sampleMaxValue: fields.number('sampleMaxValue', finiteNumbers),
    rescaleBetasZeroSnr: fields.boolean('rescaleBetasZeroSnr'),
    timestepSpacing: fields.choice('timestepSpacing', ['linspace', 'leading', 'trailing']),
  };
}

function parseGraph(fields: Fields): GraphEntry {
  return { model: parseFile(fields.object('model')), weights: parseFile(fields.object('weights')) };
}

function parseFile(fields: Fields): FileEntry {
  return {
    file: matching(fields, 'file', bareFileName, 'a bare file name'),
    sizeBytes: fields.integer('sizeBytes', fileSizes),
    sha256: matching(fields, 'sha256', sha256Digest, 'a SHA-256 digest'),
  };
}

function matching(fields: Fields, key: string, pattern: RegExp, expected: string): string {
  const text = fields.text(key);
  if (!pattern.test(text)) throw fields.malformed(key, expected);
  return text;
}
