import type { Fields } from './fields.ts';
import { dimensions, headCounts } from './limits.ts';

/*
 * config.json of the ports of SONAR to Hugging Face's M2M100: what it says that weights cannot
 * tell, under the names of the reference's dataclasses.
 */

/** SONAR's. The ports allow more positions than the models were trained for. */
const maxSeqLen = 512;

/** Returns whether a configuration is of transformers.M2M100Config. */
export function isM2m100Config(fields: Fields): boolean {
  return fields.has('d_model') && fields.has('encoder_attention_heads');
}

/**
 * Returns the fields of both parts. Sizes other than the model's dimension are left out: a port
 * of one part may say anything about the other.
 *
 * @throws the error of `fields` for values that are malformed or that we do not build
 */
export function m2m100Parts(fields: Fields): { encoder: object; decoder: object } {
  fields.choice('activation_function', ['relu'], 'relu');
  const common = {
    model_dim: fields.integer('d_model', dimensions),
    max_seq_len: maxSeqLen,
    no_scale_embedding: !fields.boolean('scale_embedding', true),
  };
  return {
    encoder: {
      ...common,
      num_encoder_attn_heads: fields.integer('encoder_attention_heads', headCounts),
      _from_fairseq: true,
    },
    decoder: {
      ...common,
      num_decoder_attn_heads: fields.integer('decoder_attention_heads', headCounts),
    },
  };
}
