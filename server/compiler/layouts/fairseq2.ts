import type { Layout } from './layout.ts';

/*
 * The names of fairseq2, which the released SONAR files and ours have. They are the canonical
 * ones; a file with both parts gives the part that is asked for.
 */

export const fairseq2Encoder: Layout = {
  name: 'fairseq2',
  marks: ['encoder_frontend.{*}', 'encoder.layers.{i}.ffn.{*}'],
  prefixes: ['model.', ''],
  leftAside: ['decoder_frontend.{*}', 'decoder.{*}', 'final_proj.weight'],
  renames: [['{*}', '{*}']],
};

export const fairseq2Decoder: Layout = {
  name: 'fairseq2',
  marks: ['decoder_frontend.{*}', 'decoder.layers.{i}.ffn.{*}'],
  prefixes: ['model.', ''],
  leftAside: ['encoder_frontend.{*}', 'encoder.{*}', 'layer_norm.{p}'],
  renames: [['{*}', '{*}']],
};
