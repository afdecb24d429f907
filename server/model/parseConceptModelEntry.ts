import type { Fields } from './fields.ts';
import {
  codebookCounts,
  codebookSizes,
  cosines,
  diffusionTrainSteps,
  dimensions,
  finiteNumbers,
  headCounts,
  layerCounts,
  sentenceCounts,
} from './limits.ts';
import {
  type ConceptModelEntry,
  type GenerationEntry,
  type GraphEntry,
  type NoiseSchedulerConfig,
  type OneTowerLcmEntry,
  precisions,
  type QuantLcmEntry,
  type RegressionLcmEntry,
  type TowerEntry,
  type TwoTowerLcmEntry,
} from './manifest.ts';
import { manifestLengths, matching, parseFile, parseGraph } from './manifestFields.ts';
import { parseConfidenceEntry } from './parseConfidence.ts';
import { parseSamplingEntry } from './parseSampling.ts';

/*
 * The concept models of a manifest, one function per family.
 */

/** Names of concept models, which become parts of file names. */
export const conceptModelName = /^[a-z0-9-]{1,40}$/;

type Family = ConceptModelEntry['family'];

const families: readonly Family[] = [
  'base_lcm',
  'one_tower_diffusion_lcm',
  'two_tower_diffusion_lcm',
  'quant_lcm',
  'sonar_llm',
];

/** @throws IntegrityError when the entry is malformed */
export function parseConceptModelEntry(fields: Fields): ConceptModelEntry {
  const family = fields.choice('family', families);
  const common = {
    name: matching(fields, 'name', conceptModelName, 'letters a-z, digits and hyphens'),
    precision: fields.choice('precision', precisions),
    modelDim: fields.integer('modelDim', dimensions),
    maxSeqLen: fields.integer('maxSeqLen', manifestLengths),
    normalizer: fields.orNull('normalizer', (key) => ({
      file: parseFile(fields.object(key).object('file')),
    })),
    generation: parseGeneration(fields.object('generation')),
    sampling: parseSamplingEntry(fields.object('sampling', {})),
    confidence: parseConfidenceEntry(fields),
  };
  switch (family) {
    case 'base_lcm':
    case 'sonar_llm':
      return parseRegressionLcm(fields, { family, ...common });
    case 'one_tower_diffusion_lcm':
      return parseOneTowerLcm(fields, { family, ...common });
    case 'two_tower_diffusion_lcm':
      return parseTwoTowerLcm(fields, { family, ...common });
    case 'quant_lcm':
      return parseQuantLcm(fields, { family, ...common });
  }
}

type Common<T extends ConceptModelEntry> = Pick<
  T,
  | 'family'
  | 'name'
  | 'precision'
  | 'modelDim'
  | 'maxSeqLen'
  | 'normalizer'
  | 'generation'
  | 'sampling'
  | 'confidence'
>;

function parseRegressionLcm(
  fields: Fields,
  common: Common<RegressionLcmEntry>,
): RegressionLcmEntry {
  return { ...common, ...parseTower(fields), graphs: parseGraphs(fields, ['lcm']) };
}

function parseOneTowerLcm(fields: Fields, common: Common<OneTowerLcmEntry>): OneTowerLcmEntry {
  return {
    ...common,
    ...parseTower(fields),
    noiseScheduler: parseNoiseScheduler(fields.object('noiseScheduler')),
    trainedWithCfGuidance: fields.boolean('trainedWithCfGuidance'),
    graphs: parseGraphs(fields, ['lcm']),
  };
}

function parseQuantLcm(fields: Fields, common: Common<QuantLcmEntry>): QuantLcmEntry {
  const quantizer = fields.object('quantizer');
  return {
    ...common,
    ...parseTower(fields),
    target: fields.choice('target', ['continuous', 'discrete']),
    quantizer: {
      numCodebooks: quantizer.integer('numCodebooks', codebookCounts),
      codebookSize: quantizer.integer('codebookSize', codebookSizes),
      file: parseFile(quantizer.object('file')),
    },
    trainedWithCfGuidance: fields.boolean('trainedWithCfGuidance'),
    graphs: parseGraphs(fields, ['lcm']),
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
    graphs: parseGraphs(fields, ['context', 'crossAttention', 'denoiser']),
  };
}

function parseTower(fields: Fields): TowerEntry {
  return {
    numLayers: fields.integer('numLayers', layerCounts),
    numAttnHeads: fields.integer('numAttnHeads', headCounts),
    headDim: fields.integer('headDim', dimensions),
  };
}

function parseGraphs<const Name extends string>(
  fields: Fields,
  names: readonly Name[],
): Record<Name, GraphEntry> {
  const graphs = fields.object('graphs');
  const entries = names.map((name) => [name, parseGraph(graphs.object(name))]);
  return Object.fromEntries(entries) as Record<Name, GraphEntry>; // one for each name
}

function parseGeneration(fields: Fields): GenerationEntry {
  return {
    feedback: fields.choice('feedback', ['concept', 'text']),
    eosText: fields.text('eosText'),
    eosThreshold: fields.number('eosThreshold', cosines),
    repetitionThreshold: fields.orNull('repetitionThreshold', (key) => fields.number(key, cosines)),
    minGenLen: fields.integer('minGenLen', sentenceCounts),
    beginText: fields.orNull('beginText', (key) => fields.text(key)),
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
