import type { KeyPattern, Layout } from './layout.ts';

/*
 * The names of fairseq, which the reference's loaders still read, and which the ports to Hugging
 * Face's M2M100 took over (m2m100.ts).
 *
 * Source: spec of the reference's loaders, convert_sonar_text_{encoder,decoder}_checkpoint.
 */

/**
 * fairseq counts `<s>`, `<pad>`, `</s>`, `<unk>`; fairseq2 `<pad>`, `<unk>`, `<s>`, `</s>`. All
 * other tokens are the same.
 */
export const fairseqFirstRows = [1, 3, 0, 2];

/** Layers of the encoder, below what stands before `layers`. */
export const fairseqEncoderLayers: Layout['renames'] = [
  ...attention('self_attn', 'encoder.layers.{i}.self_attn'),
  ...feedForward('encoder.layers.{i}'),
];

/** Layers of the decoder, below what stands before `layers`. */
export const fairseqDecoderLayers: Layout['renames'] = [
  ...attention('self_attn', 'decoder.layers.{i}.self_attn'),
  ...attention('encoder_attn', 'decoder.layers.{i}.encoder_decoder_attn'),
  ...feedForward('decoder.layers.{i}'),
];

/** Tables of sinusoids, which we compute; learned positions would be `embed_positions.weight`. */
export const positionTables: readonly KeyPattern[] = [
  'embed_positions._float_tensor',
  'embed_positions.weights',
];

/** What the ports to M2M100 do not have. */
const fairseqMarks: readonly KeyPattern[] = ['version', 'embed_positions._float_tensor'];

export const fairseqEncoder: Layout = {
  name: 'fairseq',
  marks: fairseqMarks,
  prefixes: ['encoder.', ''],
  leftAside: ['version', ...positionTables, 'decoder.{*}', 'output_projection.weight'],
  renames: [
    ['embed_tokens.weight', 'encoder_frontend.embed.weight'],
    ...fairseqEncoderLayers,
    ['layer_norm.{p}', 'layer_norm.{p}'],
  ],
  firstRows: fairseqFirstRows,
};

export const fairseqDecoder: Layout = {
  name: 'fairseq',
  marks: [...fairseqMarks, 'output_projection.weight'],
  prefixes: ['decoder.', ''],
  leftAside: ['version', ...positionTables, 'encoder.{*}'],
  renames: [
    ['embed_tokens.weight', 'decoder_frontend.embed.weight'],
    ['output_projection.weight', 'final_proj.weight'],
    ...fairseqDecoderLayers,
    ['layer_norm.{p}', 'decoder.layer_norm.{p}'],
  ],
  firstRows: fairseqFirstRows,
};

function attention(from: string, to: string): Layout['renames'] {
  return [
    ...['q_proj', 'k_proj', 'v_proj'].map(
      (name) => [`layers.{i}.${from}.${name}.{p}`, `${to}.${name}.{p}`] as const,
    ),
    [`layers.{i}.${from}.out_proj.{p}`, `${to}.output_proj.{p}`],
    [`layers.{i}.${from}_layer_norm.{p}`, `${to}_layer_norm.{p}`],
  ];
}

function feedForward(to: string): Layout['renames'] {
  return [
    ['layers.{i}.fc1.{p}', `${to}.ffn.inner_proj.{p}`],
    ['layers.{i}.fc2.{p}', `${to}.ffn.output_proj.{p}`],
    ['layers.{i}.final_layer_norm.{p}', `${to}.ffn_layer_norm.{p}`],
  ];
}
