import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { WeightSource } from '../../server/compiler/onnx/weights.ts';
import type { ModelSources } from '../../server/model/modelSources.ts';
import { closedFormWeights } from './closedForm.ts';
import { storeTensor, writeSafetensors } from './safetensorsWriter.ts';
import { buildModel, specialPieces } from './sentencePieceModels.ts';
import {
  tinyBaseLcm,
  tinyEntropyModel,
  tinyOneTowerLcm,
  tinyQuantLcmC,
  tinyQuantLcmD,
  tinySonarDecoder,
  tinySonarEncoder,
  tinySonarLlm,
  tinyTwoTowerLcm,
} from './tinyModels.ts';
import {
  baseLcmShapes,
  entropyModelShapes,
  oneTowerLcmShapes,
  quantLcmShapes,
  type Shapes,
  sonarDecoderShapes,
  sonarEncoderShapes,
  sonarLlmShapes,
  twoTowerLcmShapes,
} from './tinyShapes.ts';

/*
 * The files of a whole tiny model, as `compile` takes them: 40 tokens of which 34 are pieces,
 * two languages, concepts of 32 dimensions.
 */

const sonarEmbedDim = 32;

const vocabInfo = { size: 40, unk_idx: 1, bos_idx: 2, eos_idx: 3, pad_idx: 1 };

const sonar = { model_dim: 32, max_seq_len: 16, vocab_info: vocabInfo, ffn_inner_dim: 64 };

const transformer = {
  num_layers: 2,
  num_attn_heads: 4,
  ffn_inner_dim: 128,
  use_swiglu: true,
  pos_embedding_style: 'rope',
  layer_normalization_style: 'rms',
  mha_output_proj_bias: true,
};

const conceptModel = { max_seq_len: 64, model_dim: 32, sonar_embed_dim: sonarEmbedDim };

const slotModel = {
  ...conceptModel,
  condition_dim: 24,
  trained_with_cf_guidance: true,
  lcm: { ...transformer, pos_embedding_style: 'learned' },
};

const quantizer = {
  model_type: 'quant_lcm',
  quantizer: { num_codebooks: 3, codebook_size: 10 },
};

/** How sure the Two-Tower may be, in a configuration. */
export const tinyConfidence = {
  langs: ['eng_Latn'],
  bias: -1.5,
  support: 4,
  agreement: 2,
  score: -0.25,
  surprisal: -1,
  log_length: -0.5,
};

/** The configuration that belongs to the weights of `tinyShapes`. */
export const tinyConfig = {
  name: 'tiny',
  tokenizer: { langs: ['eng_Latn', 'fra_Latn'] },
  encoder: { ...sonar, num_encoder_layers: 2, num_encoder_attn_heads: 4, _from_fairseq: true },
  decoder: { ...sonar, num_decoder_layers: 2, num_decoder_attn_heads: 4 },
  entropy: {
    vocab_size: 260,
    model_dim: 16,
    num_layers: 2,
    num_attn_heads: 2,
    ffn_inner_dim: 24,
    max_seq_len: 24,
  },
  directions: ['shorter', 'longer'],
  lcm: {
    base: { ...conceptModel, lcm: transformer },
    'two-tower': {
      ...conceptModel,
      context_encoder: { ...transformer, num_layers: 1 },
      denoiser: { ...transformer, pos_embedding_style: 'none' },
      noise_scheduler: { num_diffusion_train_steps: 100 },
      trained_with_cf_guidance: true,
      sampling: { inference_timesteps: 8 },
      confidence: tinyConfidence,
    },
    'one-tower': {
      ...slotModel,
      model_type: 'one_tower_diffusion_lcm',
      noise_scheduler: { num_diffusion_train_steps: 100 },
    },
    'quant-c': { ...slotModel, ...quantizer, target: 'continuous' },
    'quant-d': { ...slotModel, ...quantizer, target: 'discrete' },
    'sonar-llm': {
      embed_dim: sonarEmbedDim,
      add_begin: true,
      llama_config: {
        hidden_size: 24,
        intermediate_size: 40,
        num_hidden_layers: 2,
        num_attention_heads: 4,
        head_dim: 8,
        max_position_embeddings: 131072,
        rope_theta: 500000,
        rope_scaling: {
          rope_type: 'llama3',
          factor: 32,
          low_freq_factor: 1,
          high_freq_factor: 4,
          original_max_position_embeddings: 8192,
        },
      },
    },
  },
};

/** Keys and shapes of each checkpoint. */
type TinyPart = 'encoder' | 'decoder' | 'entropy' | 'directions' | keyof typeof tinyConfig.lcm;

export const tinyShapes: Readonly<Record<TinyPart, Shapes>> = {
  encoder: sonarEncoderShapes(tinySonarEncoder),
  decoder: sonarDecoderShapes(tinySonarDecoder),
  entropy: entropyModelShapes(tinyEntropyModel),
  directions: { shorter: [sonarEmbedDim], longer: [sonarEmbedDim] },
  base: baseLcmShapes({ ...tinyBaseLcm, sonarEmbedDim }),
  'two-tower': twoTowerLcmShapes({ ...tinyTwoTowerLcm, sonarEmbedDim }),
  'one-tower': oneTowerLcmShapes({ ...tinyOneTowerLcm, sonarEmbedDim }),
  'quant-c': quantLcmShapes({ ...tinyQuantLcmC, sonarEmbedDim }),
  'quant-d': quantLcmShapes({ ...tinyQuantLcmD, sonarEmbedDim }),
  'sonar-llm': {
    ...sonarLlmShapes({ ...tinySonarLlm, sonarEmbedDim }),
    'llama_model.model.embed_tokens.weight': [50, 24],
    'llama_model.lm_head.weight': [50, 24],
  },
};

/** Returns a safetensors file with everything that a source holds. */
export function storeWeights(source: WeightSource): Uint8Array {
  const tensors = source
    .names()
    .map((name) => [name, storeTensor('F32', source.shape(name), source.read(name))] as const);
  return writeSafetensors(Object.fromEntries(tensors));
}

/** All files of a tiny model. */
export type TinySources = ModelSources &
  Record<'encoder' | 'decoder' | 'entropy' | 'directions' | 'tokenizer' | 'config', string>;

/** Writes the files into a folder, some of them replaced. */
export function writeTinySources(
  folder: string,
  {
    config = tinyConfig,
    shapes = {},
  }: { config?: object; shapes?: Partial<typeof tinyShapes> } = {},
): TinySources {
  const at = (file: string) => join(folder, file);
  for (const [part, partShapes] of Object.entries({ ...tinyShapes, ...shapes })) {
    writeFileSync(at(`${part}.safetensors`), storeWeights(closedFormWeights(partShapes)));
  }
  writeFileSync(at('config.json'), JSON.stringify(config));
  writeFileSync(at('tokenizer.model'), tinyTokenizer());
  return {
    encoder: at('encoder.safetensors'),
    decoder: at('decoder.safetensors'),
    entropy: at('entropy.safetensors'),
    directions: at('directions.safetensors'),
    lcms: Object.fromEntries(
      Object.keys(tinyConfig.lcm).map((name) => [name, at(`${name}.safetensors`)]),
    ),
    tokenizer: at('tokenizer.model'),
    config: at('config.json'),
  };
}

function tinyTokenizer(): Uint8Array {
  const letters = Array.from({ length: 31 }, (_, i) => ({
    piece: String.fromCharCode(0x61 + i),
    score: -i,
  }));
  return buildModel({ pieces: [...specialPieces, ...letters] });
}
