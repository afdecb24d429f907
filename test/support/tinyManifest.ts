import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type AddOnManifest,
  type FileEntry,
  type GraphEntry,
  type Manifest,
  type ModelManifest,
  manifestVersion,
} from '../../server/model/manifest.ts';
import { lcmGeneration, sonarLlmGeneration } from '../../server/model/parseGeneration.ts';
import { manifestFiles } from '../../server/model/parseManifest.ts';
import { noSampling } from '../../server/model/parseSampling.ts';
import { tinyTwoTowerLcm } from './tinyModels.ts';

/*
 * A model folder whose manifest is right and whose graphs are not: each file holds its own name.
 */

const slotEntry = {
  precision: 'int8',
  modelDim: 32,
  maxSeqLen: 64,
  normalizer: null,
  numLayers: 2,
  numAttnHeads: 4,
  headDim: 8,
  generation: lcmGeneration,
  sampling: noSampling,
  confidence: null,
  trainedWithCfGuidance: true,
} as const;

/** A manifest with a concept model of each family. */
export const tinyManifest: ModelManifest = {
  kind: 'model',
  version: manifestVersion,
  name: 'tiny',
  space: 'tiny',
  sourceDigest: sha256('sources'),
  embeddingDim: 32,
  tokenizer: {
    file: fileEntry('tokenizer.model'),
    langs: ['eng_Latn', 'fra_Latn'],
    defaultLang: 'eng_Latn',
  },
  encoder: { precision: 'int8', modelDim: 32, maxSeqLen: 18, graph: graphEntry('encoder') },
  decoder: {
    precision: 'int8',
    modelDim: 32,
    numLayers: 2,
    numAttnHeads: 4,
    headDim: 8,
    vocabSize: 40,
    maxSeqLen: 16,
    vocabInfo: { size: 40, unkIdx: 1, bosIdx: 2, eosIdx: 3, padIdx: 1 },
    shortlist: null,
    prepare: graphEntry('decoder.prepare'),
    step: graphEntry('decoder.step'),
  },
  entropy: { precision: 'int8', maxSeqLen: 24, graph: graphEntry('entropy') },
  directions: null,
  conceptModels: [
    {
      family: 'base_lcm',
      name: 'base',
      precision: 'int8',
      modelDim: 32,
      maxSeqLen: 64,
      normalizer: { file: fileEntry('base.normalizer.bin') },
      numLayers: 2,
      numAttnHeads: 4,
      headDim: 8,
      generation: lcmGeneration,
      sampling: noSampling,
      confidence: null,
      graphs: { lcm: graphEntry('base.lcm') },
    },
    {
      family: 'two_tower_diffusion_lcm',
      name: 'two-tower',
      precision: 'int8',
      modelDim: 32,
      maxSeqLen: 64,
      normalizer: null,
      contextLayers: 1,
      contextHeads: 4,
      contextHeadDim: 8,
      denoiserLayers: 2,
      denoiserHeads: 4,
      denoiserHeadDim: 8,
      noiseScheduler: tinyTwoTowerLcm.noiseScheduler,
      trainedWithCfGuidance: true,
      generation: lcmGeneration,
      sampling: noSampling,
      confidence: null,
      graphs: {
        context: graphEntry('two-tower.context'),
        crossAttention: graphEntry('two-tower.crossAttention'),
        denoiser: graphEntry('two-tower.denoiser'),
      },
    },
    {
      family: 'one_tower_diffusion_lcm',
      name: 'one-tower',
      ...slotEntry,
      noiseScheduler: tinyTwoTowerLcm.noiseScheduler,
      graphs: { lcm: graphEntry('one-tower.lcm') },
    },
    {
      family: 'quant_lcm',
      name: 'quant',
      ...slotEntry,
      target: 'discrete',
      quantizer: { numCodebooks: 3, codebookSize: 10, file: fileEntry('quant.codebooks.bin') },
      graphs: { lcm: graphEntry('quant.lcm') },
    },
    {
      family: 'sonar_llm',
      name: 'sonar-llm',
      precision: 'int8',
      modelDim: 24,
      maxSeqLen: 64,
      normalizer: null,
      numLayers: 2,
      numAttnHeads: 4,
      headDim: 8,
      generation: sonarLlmGeneration,
      sampling: noSampling,
      confidence: null,
      graphs: { lcm: graphEntry('sonar-llm.lcm') },
    },
  ],
};

/** Writes a folder that passes every check of a model folder. */
export function writeTinyModelFolder(
  folder: string,
  changes: Partial<ModelManifest> = {},
): ModelManifest {
  return writeFolder(folder, { ...tinyManifest, ...changes });
}

/** Writes a folder that passes every check of an add-on, with one concept model. */
export function writeTinyAddOnFolder(
  folder: string,
  conceptModel: string,
  changes: Partial<AddOnManifest> = {},
): AddOnManifest {
  const { tokenizer, encoder, decoder, conceptModels, ...common } = tinyManifest;
  const named = conceptModels.slice(0, 1).map((entry) => ({ ...entry, name: conceptModel }));
  return writeFolder(folder, {
    ...common,
    kind: 'conceptModels',
    conceptModels: named,
    ...changes,
  });
}

function writeFolder<T extends Manifest>(folder: string, manifest: T): T {
  mkdirSync(folder, { recursive: true });
  for (const { file } of manifestFiles(manifest)) writeFileSync(join(folder, file), file);
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest));
  return manifest;
}

function graphEntry(stem: string): GraphEntry {
  return { model: fileEntry(`${stem}.onnx`), weights: fileEntry(`${stem}.bin`) };
}

function fileEntry(file: string): FileEntry {
  return { file, sizeBytes: file.length, sha256: sha256(file) };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
