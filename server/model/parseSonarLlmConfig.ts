import type { Llama3RopeScaling, LlamaConfig, SonarLlmConfig } from './config.ts';
import type { Fields } from './fields.ts';
import { dimensions, headCounts, innerDimensions, layerCounts, positiveNumbers } from './limits.ts';
import { parseConfidenceConfig } from './parseConfidence.ts';
import { parseGeneration, sonarLlmGeneration } from './parseGeneration.ts';
import { parseSamplingConfig } from './parseSampling.ts';

/*
 * The configuration of a SONAR-LLM: config.json as it is published, a Llama's configuration
 * within. Llama's has dozens of fields that say nothing about the computation, and other ones in
 * every version of transformers; those that we do not know are passed over.
 */

/** The sentence that some SONAR-LLMs begin with; reference: add_begin. */
const beginText = 'Begin of text.';

/** Positions as a Llama counts them, in tokens; each is a sentence here. */
const positionCounts = { min: 1, max: 1 << 24 };

/** As many as the largest LCMs take. A sentence's position does not depend on this number. */
const maxSentences = 4096;

/**
 * Parses the fields of a SONAR-LLM.
 *
 * @throws CheckpointFormatError when it is malformed or a value is out of its range
 * @throws CheckpointUnsupportedError when it asks for what we do not build
 */
export function parseSonarLlm(fields: Fields): SonarLlmConfig {
  const addBegin = fields.boolean('add_begin', false);
  const defaults = { ...sonarLlmGeneration, beginText: addBegin ? beginText : null };
  const config: SonarLlmConfig = {
    modelType: 'sonar_llm',
    sonarEmbedDim: fields.integer('embed_dim', dimensions, 1024),
    sonarNormalizerName: null,
    llama: parseLlama(fields.object('llama_config')),
    generation: parseGeneration(fields.object('generation', {}), defaults),
    sampling: parseSamplingConfig(fields.object('sampling', {})),
    confidence: parseConfidenceConfig(fields),
  };
  fields.ignore('pretrained_model_name_or_path', 'architectures', 'torch_dtype', 'dtype');
  fields.ignore('transformers_version', 'auto_map');
  return config;
}

/** reference: transformers.LlamaConfig, with its defaults. */
function parseLlama(fields: Fields): LlamaConfig {
  const hiddenSize = fields.integer('hidden_size', dimensions, 4096);
  const numAttentionHeads = fields.integer('num_attention_heads', headCounts, 32);
  const numKeyValueHeads = optional(fields, 'num_key_value_heads', headCounts, numAttentionHeads);
  if (numAttentionHeads % numKeyValueHeads !== 0) {
    throw fields.malformed('num_key_value_heads', `a divisor of ${numAttentionHeads}`);
  }
  const headDim = parseHeadDim(fields, hiddenSize, numAttentionHeads);
  fields.choice('hidden_act', ['silu'], 'silu');
  fields.choice('attention_bias', [false], false);
  fields.choice('mlp_bias', [false], false);
  const maxPositions = fields.integer('max_position_embeddings', positionCounts, 2048);
  return {
    hiddenSize,
    intermediateSize: fields.integer('intermediate_size', innerDimensions, 11008),
    numHiddenLayers: fields.integer('num_hidden_layers', layerCounts, 32),
    numAttentionHeads,
    numKeyValueHeads,
    headDim,
    maxPositionEmbeddings: Math.min(maxPositions, maxSentences),
    rmsNormEps: fields.number('rms_norm_eps', positiveNumbers, 1e-6),
    ...parseRope(fields),
  };
}

function parseHeadDim(fields: Fields, hiddenSize: number, numHeads: number): number {
  const headDim = optional(fields, 'head_dim', dimensions, Math.floor(hiddenSize / numHeads));
  if (headDim === 0 || headDim % 2 !== 0) {
    throw fields.malformed('head_dim', 'an even number, for rotary positions');
  }
  return headDim;
}

/** Newer configurations have everything about rotary positions in one object. */
function parseRope(fields: Fields): Pick<LlamaConfig, 'ropeTheta' | 'ropeScaling'> {
  const key = fields.has('rope_parameters') ? 'rope_parameters' : 'rope_scaling';
  const scaling = fields.orNull(key, (name) => fields.object(name));
  const holder = scaling?.has('rope_theta') ? scaling : fields;
  return {
    ropeTheta: holder.number('rope_theta', positiveNumbers, 10_000),
    ropeScaling: scaling && parseRopeScaling(scaling),
  };
}

function parseRopeScaling(fields: Fields): Llama3RopeScaling | null {
  const key = fields.has('type') && !fields.has('rope_type') ? 'type' : 'rope_type';
  if (fields.choice(key, ['llama3', 'default']) === 'default') return null;
  const scaling = {
    factor: fields.number('factor', positiveNumbers),
    lowFreqFactor: fields.number('low_freq_factor', positiveNumbers),
    highFreqFactor: fields.number('high_freq_factor', positiveNumbers),
    originalMaxPositionEmbeddings: fields.integer(
      'original_max_position_embeddings',
      positionCounts,
    ),
  };
  if (scaling.highFreqFactor <= scaling.lowFreqFactor) {
    throw fields.malformed('high_freq_factor', 'more than low_freq_factor');
  }
  return scaling;
}

/** Reads an integer that may be missing or null. */
function optional(
  fields: Fields,
  key: string,
  range: { min: number; max: number },
  fallback: number,
): number {
  return fields.orNull(key, () => fields.integer(key, range)) ?? fallback;
}
