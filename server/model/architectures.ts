/*
 * The registered architectures of the reference, in its own field names: what a configuration may
 * name with `arch` instead of repeating it. Fields that equal their defaults are left out.
 */

const sonarVocabInfo = { size: 256206, unk_idx: 1, bos_idx: 2, eos_idx: 3, pad_idx: 1 };

const basicSizes = {
  model_dim: 1024,
  max_seq_len: 512,
  vocab_info: sonarVocabInfo,
  ffn_inner_dim: 8192,
};

const smallSizes = {
  ...basicSizes,
  vocab_info: { ...sonarVocabInfo, size: 32005 },
  ffn_inner_dim: 4096,
};

/** Architectures by name; each is a configuration that other fields override. */
export type Architectures = Readonly<Record<string, object>>;

/** reference: register_sonar_text_encoder_configs. */
export const encoderArchitectures: Architectures = {
  basic: {
    ...basicSizes,
    num_encoder_layers: 24,
    num_encoder_attn_heads: 16,
    _from_fairseq: true,
  },
  small: {
    ...smallSizes,
    num_encoder_layers: 6,
    num_encoder_attn_heads: 16,
    _from_fairseq: true,
  },
};

/** reference: register_sonar_text_decoder_configs. */
export const decoderArchitectures: Architectures = {
  basic: { ...basicSizes, num_decoder_layers: 24, num_decoder_attn_heads: 16 },
  small: { ...smallSizes, num_decoder_layers: 6, num_decoder_attn_heads: 16 },
  toy: {
    model_dim: 32,
    max_seq_len: 512,
    vocab_info: { ...sonarVocabInfo, size: 1024 },
    num_decoder_layers: 2,
    num_decoder_attn_heads: 4,
    ffn_inner_dim: 128,
  },
};

/** The sizes of a Two-Tower. */
interface TwoTowerSizes {
  modelDim: number;
  heads: number;
  contextLayers: number;
  denoiserLayers: number;
}

/** The Transformer that all large concept models are made of. */
function largeTransformer(
  modelDim: number,
  {
    heads,
    layers,
    posEmbeddingStyle,
  }: Record<'heads' | 'layers', number> & {
    posEmbeddingStyle: 'rope' | 'learned' | 'none';
  },
): object {
  return {
    num_layers: layers,
    num_attn_heads: heads,
    ffn_inner_dim: modelDim * 4,
    mha_output_proj_bias: true,
    use_swiglu: true,
    layer_normalization_style: 'rms',
    pos_embedding_style: posEmbeddingStyle,
  };
}

function largeTwoTower({ modelDim, heads, contextLayers, denoiserLayers }: TwoTowerSizes): object {
  const context = { heads, layers: contextLayers, posEmbeddingStyle: 'rope' } as const;
  const denoiser = { heads, layers: denoiserLayers, posEmbeddingStyle: 'none' } as const;
  return {
    model_type: 'two_tower_diffusion_lcm',
    model_dim: modelDim,
    max_seq_len: 4096,
    sonar_normalizer_name: 'dummy_sonar_normalizer',
    trained_with_cf_guidance: true,
    context_encoder: largeTransformer(modelDim, context),
    denoiser: { ...largeTransformer(modelDim, denoiser), timestep_embed_dim: modelDim },
    noise_scheduler: { num_diffusion_train_steps: 100 },
  };
}

/**
 * The backbone of One-Tower and Quant-LCM: 32 layers of 2048 dimensions and 32 heads, learned
 * positions. What the paper leaves open (norm, activation, biases) is as in the other models, with
 * which the parameters are the paper's 1.6 billion.
 *
 * Source: LCM team 2024 (arXiv:2412.08821), sections 2.3.2 and 2.4.1.
 */
const largeSlotLcm = {
  model_dim: 2048,
  max_seq_len: 4096,
  trained_with_cf_guidance: true,
  lcm: largeTransformer(2048, { heads: 32, layers: 32, posEmbeddingStyle: 'learned' }),
};

/**
 * Llama-3.2 with another width; heads times their dimension need not be the hidden size.
 *
 * reference: the configurations of FusionBrainLab/SONAR-LLM.
 */
function sonarLlm(
  hiddenSize: number,
  numLayers: number,
  numHeads: number,
  headDim: number,
): object {
  return {
    model_type: 'sonar_llm',
    llama_config: {
      hidden_size: hiddenSize,
      intermediate_size: hiddenSize * 4,
      num_hidden_layers: numLayers,
      num_attention_heads: numHeads,
      head_dim: headDim,
      max_position_embeddings: 131072,
      rms_norm_eps: 1e-6,
      rope_theta: 500000,
      rope_scaling: {
        rope_type: 'llama3',
        factor: 32,
        low_freq_factor: 1,
        high_freq_factor: 4,
        original_max_position_embeddings: 8192,
      },
    },
  };
}

/**
 * reference: lcm.models.base_lcm.archs and lcm.models.two_tower_diffusion_lcm.archs; the smaller
 * Two-Towers are those of a public fork with the same recipe.
 */
export const conceptModelArchitectures: Architectures = {
  toy_base_lcm: { model_type: 'base_lcm', sonar_normalizer_name: null },
  base_lcm_1_6B: {
    model_type: 'base_lcm',
    model_dim: 2048,
    max_seq_len: 4096,
    sonar_normalizer_name: 'dummy_sonar_normalizer',
    lcm: largeTransformer(2048, { heads: 16, layers: 32, posEmbeddingStyle: 'rope' }),
  },
  toy_two_tower_diffusion_lcm: {
    model_type: 'two_tower_diffusion_lcm',
    sonar_normalizer_name: 'dummy_sonar_normalizer',
  },
  two_tower_diffusion_lcm_60M: largeTwoTower({
    modelDim: 512,
    heads: 8,
    contextLayers: 1,
    denoiserLayers: 8,
  }),
  two_tower_diffusion_lcm_130M: largeTwoTower({
    modelDim: 768,
    heads: 12,
    contextLayers: 1,
    denoiserLayers: 8,
  }),
  two_tower_diffusion_lcm_250M: largeTwoTower({
    modelDim: 1024,
    heads: 16,
    contextLayers: 2,
    denoiserLayers: 8,
  }),
  two_tower_diffusion_lcm_370M: largeTwoTower({
    modelDim: 1024,
    heads: 16,
    contextLayers: 3,
    denoiserLayers: 12,
  }),
  two_tower_diffusion_lcm_780M: largeTwoTower({
    modelDim: 1536,
    heads: 16,
    contextLayers: 2,
    denoiserLayers: 12,
  }),
  two_tower_diffusion_lcm_1_6B: largeTwoTower({
    modelDim: 2048,
    heads: 16,
    contextLayers: 5,
    denoiserLayers: 13,
  }),
  two_tower_diffusion_lcm_7B: largeTwoTower({
    modelDim: 4096,
    heads: 32,
    contextLayers: 5,
    denoiserLayers: 14,
  }),
  toy_one_tower_diffusion_lcm: {
    model_type: 'one_tower_diffusion_lcm',
    noise_scheduler: { num_diffusion_train_steps: 100 },
    trained_with_cf_guidance: true,
  },
  one_tower_diffusion_lcm_1_6B: {
    model_type: 'one_tower_diffusion_lcm',
    ...largeSlotLcm,
    noise_scheduler: { num_diffusion_train_steps: 100 },
  },
  toy_quant_lcm: {
    model_type: 'quant_lcm',
    trained_with_cf_guidance: true,
    quantizer: { num_codebooks: 4, codebook_size: 64 },
  },
  quant_lcm_c_1_6B: { model_type: 'quant_lcm', ...largeSlotLcm, target: 'continuous' },
  quant_lcm_d_1_6B: { model_type: 'quant_lcm', ...largeSlotLcm, target: 'discrete' },
  sonar_llm_100M: sonarLlm(512, 8, 16, 32),
  sonar_llm_300M: sonarLlm(1024, 10, 16, 64),
  sonar_llm_600M: sonarLlm(1280, 16, 26, 64),
  sonar_llm_900M: sonarLlm(1536, 17, 32, 64),
};
