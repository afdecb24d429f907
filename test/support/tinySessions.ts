import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildBaseLcm } from '../../server/compiler/models/baseLcm.ts';
import { buildOneTowerLcm } from '../../server/compiler/models/oneTowerLcm.ts';
import { buildQuantLcm, openCodebooks } from '../../server/compiler/models/quantLcm.ts';
import { buildSonarDecoder } from '../../server/compiler/models/sonarDecoder.ts';
import { buildSonarEncoder } from '../../server/compiler/models/sonarEncoder.ts';
import { buildSonarLlm } from '../../server/compiler/models/sonarLlm.ts';
import { buildTwoTowerLcm } from '../../server/compiler/models/twoTowerLcm.ts';
import type { Graph } from '../../server/compiler/onnx/graph.ts';
import { serialize } from '../../server/compiler/onnx/serialize.ts';
import { parseShortlist, wholeVocabulary } from '../../server/inference/decoderVocabulary.ts';
import {
  contextSignature,
  crossAttentionSignature,
  denoiserSignature,
  encoderSignature,
  prepareSignature,
  regressionLcmSignature,
  type Signature,
  slotLcmSignature,
  stepSignature,
} from '../../server/inference/graphSession.ts';
import { identityNormalizer, parseNormalizer } from '../../server/inference/lcm/normalizer.ts';
import { OneTowerLcm } from '../../server/inference/lcm/oneTowerLcm.ts';
import { QuantLcm } from '../../server/inference/lcm/quantLcm.ts';
import { RegressionLcm } from '../../server/inference/lcm/regressionLcm.ts';
import { ResidualQuantizer } from '../../server/inference/lcm/residualQuantizer.ts';
import { TwoTowerLcm } from '../../server/inference/lcm/twoTowerLcm.ts';
import { SentenceDecoder, type TargetTokenizer } from '../../server/inference/sentenceDecoder.ts';
import { SentenceEncoder, type SourceTokenizer } from '../../server/inference/sentenceEncoder.ts';
import { OnnxSession } from '../../server/inference/session.ts';
import type { QuantLcmConfig, SlotLcmConfig } from '../../server/model/config.ts';
import type {
  DecoderEntry,
  EncoderEntry,
  GraphEntry,
  OneTowerLcmEntry,
  Precision,
  QuantLcmEntry,
  RegressionLcmEntry,
  TwoTowerLcmEntry,
} from '../../server/model/manifest.ts';
import { lcmGeneration } from '../../server/model/parseGeneration.ts';
import { noSampling } from '../../server/model/parseSampling.ts';
import { concatenate } from '../../server/tensor/vector.ts';
import { closedFormVector, closedFormWeights } from './closedForm.ts';
import {
  tinyBaseLcm,
  tinyEncoderMaxSeqLen,
  tinyGroupedSonarLlm,
  tinyOneTowerLcm,
  tinySonarDecoder,
  tinySonarEncoder,
  tinyTwoTowerLcm,
} from './tinyModels.ts';
import {
  baseLcmShapes,
  oneTowerLcmShapes,
  quantLcmShapes,
  sonarDecoderShapes,
  sonarEncoderShapes,
  sonarLlmShapes,
  twoTowerLcmShapes,
} from './tinyShapes.ts';

/*
 * The tiny models with closed-form weights, compiled and opened in ONNX Runtime: the parts of the
 * inference around them are those of the product.
 */

const fp32 = { precision: 'fp32' } as const;
const file = (name: string) => ({ file: name, sizeBytes: 0, sha256: '' });
const graphEntry: GraphEntry = { model: file('model.onnx'), weights: file('weights.bin') };

/** Serializes a graph and opens it. */
export async function openCompiled<S extends Signature>(
  graph: Graph,
  signature: S,
): Promise<OnnxSession<S>> {
  const folder = mkdtempSync(join(tmpdir(), 'thoughtline-graph-'));
  try {
    const { model, weights } = serialize(graph, graphEntry.weights.file);
    writeFileSync(join(folder, graphEntry.model.file), model);
    writeFileSync(join(folder, graphEntry.weights.file), Buffer.concat([...weights]));
    return await OnnxSession.create(folder, graphEntry, 'tiny graph', signature, {
      executionProviders: ['cpu'],
      intraOpNumThreads: 1,
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export function tinyEncoderGraph(): Graph {
  return buildSonarEncoder(
    tinySonarEncoder,
    closedFormWeights(sonarEncoderShapes(tinySonarEncoder)),
    fp32,
  );
}

export async function tinyEncoder(tokenizer: SourceTokenizer): Promise<SentenceEncoder> {
  const entry: EncoderEntry = {
    ...fp32,
    modelDim: tinySonarEncoder.modelDim,
    maxSeqLen: tinyEncoderMaxSeqLen,
    graph: graphEntry,
  };
  const graph = await openCompiled(tinyEncoderGraph(), encoderSignature);
  return new SentenceEncoder(graph, entry, tokenizer);
}

/** What a tiny decoder is compiled with. */
export interface TinyDecoderOptions {
  precision?: Precision;
  /** Ids of the tokens that it knows. */
  shortlist?: readonly number[] | null;
  /** Whether the projection to the vocabulary is another matrix than the table of tokens. */
  isUntied?: boolean;
}

/** The graphs of a decoder, and what the inference is told about them. */
export async function openTinyDecoder({
  precision = 'fp32',
  shortlist = null,
  isUntied = false,
}: TinyDecoderOptions = {}) {
  const { modelDim, numDecoderLayers, numDecoderAttnHeads, vocabInfo, maxSeqLen } =
    tinySonarDecoder;
  const entry: DecoderEntry = {
    precision,
    modelDim,
    numLayers: numDecoderLayers,
    numAttnHeads: numDecoderAttnHeads,
    headDim: modelDim / numDecoderAttnHeads,
    vocabSize: vocabInfo.size,
    maxSeqLen,
    vocabInfo,
    shortlist: null,
    prepare: graphEntry,
    step: graphEntry,
  };
  const weights = closedFormWeights({
    ...sonarDecoderShapes(tinySonarDecoder),
    ...(isUntied && { 'final_proj.weight': [vocabInfo.size, modelDim] }),
  });
  const ids = shortlist && Int32Array.from(shortlist);
  const graphs = buildSonarDecoder(tinySonarDecoder, weights, { precision, shortlist: ids });
  const vocabulary = ids
    ? parseShortlist(new Uint8Array(ids.buffer), {
        vocabSize: vocabInfo.size,
        needed: [],
        label: 'shortlist',
      })
    : wholeVocabulary(vocabInfo.size);
  const prepare = await openCompiled(graphs.prepare, prepareSignature);
  const step = await openCompiled(graphs.step, stepSignature);
  return { graphs: { prepare, step }, entry, vocabulary };
}

export async function tinyDecoder(
  tokenizer: TargetTokenizer,
  options?: TinyDecoderOptions,
): Promise<SentenceDecoder> {
  const { graphs, entry, vocabulary } = await openTinyDecoder(options);
  return new SentenceDecoder(graphs, entry, tokenizer, vocabulary);
}

const embeddingDim = tinyBaseLcm.sonarEmbedDim;

/** The normaliser that belongs to the golden values. */
export const tinyNormalizer = parseNormalizer(
  new Uint8Array(
    concatenate([
      closedFormVector('center', embeddingDim, 0.01),
      closedFormVector('scale', embeddingDim, 0.005).map((value) => value + 0.015),
    ]).buffer,
  ),
  embeddingDim,
  'closed form',
);

/** The concepts that belong to the golden values, [4, 16]. */
export const tinyConcepts: readonly Float32Array[] = Array.from({ length: 4 }, (_, i) =>
  closedFormVector('concepts', 4 * embeddingDim, 0.03).slice(
    i * embeddingDim,
    (i + 1) * embeddingDim,
  ),
);

export async function tinyBaseLcmModel(maxSeqLen = tinyBaseLcm.maxSeqLen): Promise<RegressionLcm> {
  const { modelDim, lcm } = tinyBaseLcm;
  const entry: RegressionLcmEntry = {
    ...fp32,
    family: 'base_lcm',
    name: 'base',
    modelDim,
    maxSeqLen,
    normalizer: null,
    numLayers: lcm.numLayers,
    numAttnHeads: lcm.numAttnHeads,
    headDim: modelDim / lcm.numAttnHeads,
    generation: lcmGeneration,
    sampling: noSampling,
    confidence: null,
    graphs: { lcm: graphEntry },
  };
  const weights = closedFormWeights(baseLcmShapes(tinyBaseLcm));
  const { lcm: graph } = buildBaseLcm({ ...tinyBaseLcm, maxSeqLen }, weights, fp32);
  return new RegressionLcm(
    entry,
    await openCompiled(graph, regressionLcmSignature),
    tinyNormalizer,
  );
}

/** A SONAR-LLM whose heads share keys and values. */
export async function tinySonarLlmModel(): Promise<RegressionLcm> {
  const { llama, generation, sampling } = tinyGroupedSonarLlm;
  const entry: RegressionLcmEntry = {
    ...fp32,
    family: 'sonar_llm',
    name: 'sonar-llm',
    modelDim: llama.hiddenSize,
    maxSeqLen: llama.maxPositionEmbeddings,
    normalizer: null,
    numLayers: llama.numHiddenLayers,
    numAttnHeads: llama.numKeyValueHeads,
    headDim: llama.headDim,
    generation,
    sampling,
    confidence: null,
    graphs: { lcm: graphEntry },
  };
  const weights = closedFormWeights(sonarLlmShapes(tinyGroupedSonarLlm));
  const { lcm } = buildSonarLlm(tinyGroupedSonarLlm, weights, fp32);
  return new RegressionLcm(
    entry,
    await openCompiled(lcm, regressionLcmSignature),
    identityNormalizer,
  );
}

/** What the entries of One-Tower and Quant-LCM have in common. */
function slotEntry({ modelDim, maxSeqLen, lcm }: SlotLcmConfig) {
  return {
    ...fp32,
    modelDim,
    maxSeqLen,
    normalizer: null,
    numLayers: lcm.numLayers,
    numAttnHeads: lcm.numAttnHeads,
    headDim: modelDim / lcm.numAttnHeads,
    generation: lcmGeneration,
    sampling: noSampling,
    confidence: null,
    trainedWithCfGuidance: true,
    graphs: { lcm: graphEntry },
  };
}

export async function tinyOneTowerModel(
  change: Partial<OneTowerLcmEntry> = {},
): Promise<OneTowerLcm> {
  const config = tinyOneTowerLcm;
  const weights = closedFormWeights(oneTowerLcmShapes(config));
  const { lcm } = buildOneTowerLcm(config, weights, fp32);
  const entry: OneTowerLcmEntry = {
    ...slotEntry(config),
    family: 'one_tower_diffusion_lcm',
    name: 'one-tower',
    noiseScheduler: config.noiseScheduler,
    ...change,
  };
  return new OneTowerLcm(entry, await openCompiled(lcm, slotLcmSignature), tinyNormalizer);
}

/** The quantiser of the tiny Quant-LCMs. */
export function tinyQuantizer(config: QuantLcmConfig): ResidualQuantizer {
  const { read } = openCodebooks(config, closedFormWeights(quantLcmShapes(config)));
  return new ResidualQuantizer([...read()], config.sonarEmbedDim);
}

export async function tinyQuantModel(
  config: QuantLcmConfig,
  change: Partial<QuantLcmEntry> = {},
): Promise<QuantLcm> {
  const { target, numCodebooks, codebookSize } = config;
  const weights = closedFormWeights(quantLcmShapes(config));
  const { lcm } = buildQuantLcm(config, weights, fp32);
  const entry: QuantLcmEntry = {
    ...slotEntry(config),
    family: 'quant_lcm',
    name: 'quant',
    target,
    quantizer: { numCodebooks, codebookSize, file: file('quant.codebooks.bin') },
    ...change,
  };
  const graph = await openCompiled(lcm, slotLcmSignature);
  return new QuantLcm(entry, graph, tinyNormalizer, tinyQuantizer(config));
}

export async function tinyTwoTowerModel(
  change: Partial<TwoTowerLcmEntry> = {},
): Promise<TwoTowerLcm> {
  const { modelDim, maxSeqLen, contextEncoder, denoiser, noiseScheduler } = tinyTwoTowerLcm;
  const entry: TwoTowerLcmEntry = {
    ...fp32,
    family: 'two_tower_diffusion_lcm',
    name: 'two-tower',
    modelDim,
    maxSeqLen,
    normalizer: null,
    contextLayers: contextEncoder.numLayers,
    contextHeads: contextEncoder.numAttnHeads,
    contextHeadDim: modelDim / contextEncoder.numAttnHeads,
    denoiserLayers: denoiser.numLayers,
    denoiserHeads: denoiser.numAttnHeads,
    denoiserHeadDim: modelDim / denoiser.numAttnHeads,
    noiseScheduler,
    trainedWithCfGuidance: true,
    generation: lcmGeneration,
    sampling: noSampling,
    confidence: null,
    graphs: { context: graphEntry, crossAttention: graphEntry, denoiser: graphEntry },
    ...change,
  };
  const weights = closedFormWeights(twoTowerLcmShapes(tinyTwoTowerLcm));
  const graphs = buildTwoTowerLcm(tinyTwoTowerLcm, weights, fp32);
  const context = await openCompiled(graphs.context, contextSignature);
  const crossAttention = await openCompiled(graphs.crossAttention, crossAttentionSignature);
  const denoiserGraph = await openCompiled(graphs.denoiser, denoiserSignature);
  return new TwoTowerLcm(
    entry,
    { context, crossAttention, denoiser: denoiserGraph },
    tinyNormalizer,
  );
}
