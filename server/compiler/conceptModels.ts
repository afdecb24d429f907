import type { ConceptModelConfig, TransformerConfig } from '../model/config.ts';
import type { ConceptModelEntry, TowerEntry } from '../model/manifest.ts';
import { buildBaseLcm } from './models/baseLcm.ts';
import type { BuildOptions } from './models/model.ts';
import { buildOneTowerLcm } from './models/oneTowerLcm.ts';
import { buildQuantLcm } from './models/quantLcm.ts';
import { buildSonarLlm } from './models/sonarLlm.ts';
import { buildTwoTowerLcm } from './models/twoTowerLcm.ts';
import type { Graph } from './onnx/graph.ts';
import type { WeightSource } from './onnx/weights.ts';

/*
 * What the compiler knows of each family of concept models: the graphs of its checkpoint, and what
 * the manifest tells of its configuration.
 */

/**
 * Builds the graphs of a concept model, by their names in the manifest.
 *
 * @throws WeightMismatchError when the checkpoint does not fit the configuration
 * @throws CheckpointUnsupportedError when the configuration asks for what we do not build
 */
export function buildConceptModel(
  config: ConceptModelConfig,
  source: WeightSource,
  options: BuildOptions,
): Readonly<Record<string, Graph>> {
  switch (config.modelType) {
    case 'base_lcm':
      return buildBaseLcm(config, source, options);
    case 'one_tower_diffusion_lcm':
      return buildOneTowerLcm(config, source, options);
    case 'two_tower_diffusion_lcm':
      return buildTwoTowerLcm(config, source, options);
    case 'quant_lcm':
      return buildQuantLcm(config, source, options);
    case 'sonar_llm':
      return buildSonarLlm(config, source, options);
  }
}

/** The parts of a manifest's entry that come from the configuration alone. */
export type ConceptModelSizes = DistributiveOmit<
  ConceptModelEntry,
  'name' | 'precision' | 'normalizer' | 'graphs' | 'quantizer'
>;

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** Returns what the manifest tells of a configuration. */
export function conceptModelSizes(config: ConceptModelConfig): ConceptModelSizes {
  const { generation, sampling, confidence } = config;
  if (config.modelType === 'sonar_llm') {
    const { modelType: family, llama } = config;
    return {
      family,
      modelDim: llama.hiddenSize,
      maxSeqLen: llama.maxPositionEmbeddings,
      generation,
      sampling,
      confidence,
      numLayers: llama.numHiddenLayers,
      numAttnHeads: llama.numKeyValueHeads,
      headDim: llama.headDim,
    };
  }
  const { modelDim, maxSeqLen } = config;
  const common = { modelDim, maxSeqLen, generation, sampling, confidence };
  switch (config.modelType) {
    case 'base_lcm':
      return { family: config.modelType, ...common, ...towerSizes(config) };
    case 'one_tower_diffusion_lcm': {
      const { modelType: family, noiseScheduler, trainedWithCfGuidance } = config;
      return { family, ...common, ...towerSizes(config), noiseScheduler, trainedWithCfGuidance };
    }
    case 'quant_lcm': {
      const { modelType: family, target, trainedWithCfGuidance } = config;
      return { family, ...common, ...towerSizes(config), target, trainedWithCfGuidance };
    }
    case 'two_tower_diffusion_lcm': {
      const { contextEncoder, denoiser } = config;
      return {
        family: config.modelType,
        ...common,
        contextLayers: contextEncoder.numLayers,
        contextHeads: contextEncoder.numAttnHeads,
        contextHeadDim: modelDim / contextEncoder.numAttnHeads,
        denoiserLayers: denoiser.numLayers,
        denoiserHeads: denoiser.numAttnHeads,
        denoiserHeadDim: modelDim / denoiser.numAttnHeads,
        noiseScheduler: config.noiseScheduler,
        trainedWithCfGuidance: config.trainedWithCfGuidance,
      };
    }
  }
}

function towerSizes({ modelDim, lcm }: { modelDim: number; lcm: TransformerConfig }): TowerEntry {
  const { numLayers, numAttnHeads } = lcm;
  return { numLayers, numAttnHeads, headDim: modelDim / numAttnHeads };
}
