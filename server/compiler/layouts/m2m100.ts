import {
  fairseqDecoderLayers,
  fairseqEncoderLayers,
  fairseqFirstRows,
  positionTables,
} from './fairseq.ts';
import type { Layout } from './layout.ts';

/*
 * The ports of SONAR to Hugging Face's M2M100 classes. They differ in what stands before a key:
 * M2M100Encoder has nothing, M2M100EncoderModel `encoder.`, M2M100Model `encoder.` and `decoder.`,
 * M2M100ForConditionalGeneration `model.encoder.` and `model.decoder.`. The table of tokens comes
 * under one to three names, once or in tied copies. A file with both parts gives the part that is
 * asked for.
 */

export const m2m100Encoder: Layout = {
  name: 'M2M100',
  marks: ['layers.{i}.fc1.{p}'],
  prefixes: ['model.encoder.', 'encoder.', 'model.', ''],
  leftAside: [...positionTables, 'decoder.{*}', 'lm_head.weight', 'final_logits_bias'],
  renames: [
    ['embed_tokens.weight', 'encoder_frontend.embed.weight'],
    ['shared.weight', 'encoder_frontend.embed.weight'],
    ...fairseqEncoderLayers,
    ['layer_norm.{p}', 'layer_norm.{p}'],
  ],
  firstRows: fairseqFirstRows,
};

export const m2m100Decoder: Layout = {
  name: 'M2M100',
  marks: ['layers.{i}.fc1.{p}'],
  prefixes: ['model.decoder.', 'decoder.', 'model.', ''],
  leftAside: [...positionTables, 'encoder.{*}'],
  zeros: ['final_logits_bias'],
  renames: [
    ['embed_tokens.weight', 'decoder_frontend.embed.weight'],
    ['shared.weight', 'decoder_frontend.embed.weight'],
    ['lm_head.weight', 'final_proj.weight'],
    ...fairseqDecoderLayers,
    ['layer_norm.{p}', 'decoder.layer_norm.{p}'],
  ],
  firstRows: fairseqFirstRows,
};
