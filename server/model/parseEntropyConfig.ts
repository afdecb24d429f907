import type { EntropyModelConfig } from './config.ts';
import type { Fields } from './fields.ts';
import {
  dimensions,
  entropyLengths,
  headCounts,
  innerDimensions,
  layerCounts,
  positiveNumbers,
  vocabularySizes,
} from './limits.ts';
import { checkHeads } from './parseConfig.ts';

/**
 * Parses the configuration of a byte entropy model. Nothing has a default but the base of its
 * positions: weights do not tell the number of heads.
 *
 * @throws CheckpointFormatError, CheckpointUnsupportedError as `parseConfig`
 */
export function parseEntropyConfig(fields: Fields): EntropyModelConfig {
  const config: EntropyModelConfig = {
    vocabSize: fields.integer('vocab_size', vocabularySizes),
    modelDim: fields.integer('model_dim', dimensions),
    numLayers: fields.integer('num_layers', layerCounts),
    numAttnHeads: fields.integer('num_attn_heads', headCounts),
    ffnInnerDim: fields.integer('ffn_inner_dim', innerDimensions),
    maxSeqLen: fields.integer('max_seq_len', entropyLengths),
    ropeTheta: fields.number('rope_theta', positiveNumbers, 10_000),
  };
  checkHeads(fields, 'num_attn_heads', config.modelDim, 2 * config.numAttnHeads);
  fields.close();
  return config;
}
