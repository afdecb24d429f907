import {
  type BaseLcmConfig,
  type EntropyModelConfig,
  ffnDim,
  type OneTowerLcmConfig,
  type QuantLcmConfig,
  type SlotLcmConfig,
  type SonarDecoderConfig,
  type SonarEncoderConfig,
  type SonarLlmConfig,
  type TransformerConfig,
  type TwoTowerLcmConfig,
} from '../../server/model/config.ts';

/* The keys and shapes that a checkpoint of any configuration has in the official layout. */

export type Shapes = Record<string, readonly number[]>;

/** Keys and shapes of an encoder checkpoint. */
export function sonarEncoderShapes(config: SonarEncoderConfig): Shapes {
  const { modelDim, vocabInfo: vocab, ffnInnerDim, numEncoderLayers } = config;
  return {
    'encoder_frontend.embed.weight': [vocab.size, modelDim],
    ...layers('encoder.layers', numEncoderLayers, (layer) => ({
      ...norm(`${layer}.self_attn_layer_norm`, modelDim),
      ...attention(`${layer}.self_attn`, modelDim),
      ...norm(`${layer}.ffn_layer_norm`, modelDim),
      ...linear(`${layer}.ffn.inner_proj`, ffnInnerDim, modelDim),
      ...linear(`${layer}.ffn.output_proj`, modelDim, ffnInnerDim),
    })),
    ...norm('layer_norm', modelDim),
  };
}

/** Keys and shapes of an entropy model's checkpoint. */
export function entropyModelShapes(config: EntropyModelConfig): Shapes {
  const { modelDim, vocabSize, ffnInnerDim, numLayers } = config;
  return {
    'embed.weight': [vocabSize, modelDim],
    ...layers('decoder.layers', numLayers, (layer) => ({
      ...norm(`${layer}.self_attn_layer_norm`, modelDim),
      ...attention(`${layer}.self_attn`, modelDim),
      ...norm(`${layer}.ffn_layer_norm`, modelDim),
      ...linear(`${layer}.ffn.inner_proj`, ffnInnerDim, modelDim),
      ...linear(`${layer}.ffn.output_proj`, modelDim, ffnInnerDim),
    })),
    ...norm('decoder.layer_norm', modelDim),
  };
}

/** Keys and shapes of a decoder checkpoint whose output projection is tied. */
export function sonarDecoderShapes(config: SonarDecoderConfig): Shapes {
  const { modelDim, vocabInfo: vocab, ffnInnerDim, numDecoderLayers, inputDim } = config;
  return {
    'decoder_frontend.embed.weight': [vocab.size, modelDim],
    ...layers('decoder.layers', numDecoderLayers, (layer) => ({
      ...norm(`${layer}.self_attn_layer_norm`, modelDim),
      ...attention(`${layer}.self_attn`, modelDim),
      ...norm(`${layer}.encoder_decoder_attn_layer_norm`, modelDim),
      ...attention(`${layer}.encoder_decoder_attn`, modelDim, { inputDim: inputDim ?? modelDim }),
      ...norm(`${layer}.ffn_layer_norm`, modelDim),
      ...linear(`${layer}.ffn.inner_proj`, ffnInnerDim, modelDim),
      ...linear(`${layer}.ffn.output_proj`, modelDim, ffnInnerDim),
    })),
    ...norm('decoder.layer_norm', modelDim),
  };
}

/** Keys and shapes of a Base-LCM checkpoint. */
export function baseLcmShapes(config: BaseLcmConfig): Shapes {
  const { modelDim, sonarEmbedDim, sonarNormalizerName, maxSeqLen, lcm } = config;
  return {
    ...(sonarNormalizerName !== null && normalizer('frontend.sonar_normalizer', sonarEmbedDim)),
    ...linear('frontend.pre_linear', modelDim, sonarEmbedDim),
    ...learnedPositions('frontend', lcm, maxSeqLen, modelDim),
    ...tower('lcm', lcm, modelDim),
    ...linear('postnet.fc', sonarEmbedDim, modelDim),
  };
}

/** Keys and shapes of a Two-Tower checkpoint. */
export function twoTowerLcmShapes(config: TwoTowerLcmConfig): Shapes {
  const { modelDim, sonarEmbedDim, sonarNormalizerName, maxSeqLen, contextEncoder } = config;
  const { denoiser: den } = config;
  const attn = { hasOutputBias: den.mhaOutputProjBias };
  const norms = (name: string) => towerNorm(name, den, modelDim);
  return {
    ...(sonarNormalizerName !== null && normalizer('sonar_normalizer', sonarEmbedDim)),
    ...linear('encoder_frontend.pre_linear', modelDim, sonarEmbedDim),
    ...learnedPositions('encoder_frontend', contextEncoder, maxSeqLen, modelDim),
    ...tower('context_encoder', contextEncoder, modelDim),
    ...linear('denoiser.embed_time.fc1', modelDim, 256),
    ...linear('denoiser.embed_time.fc2', modelDim, modelDim),
    ...linear('denoiser.initial_proj.fc', modelDim, sonarEmbedDim),
    ...layers('denoiser.layers', den.numLayers, (layer) => ({
      ...norms(`${layer}.self_attn_layer_norm`),
      ...attention(`${layer}.self_attn`, modelDim, attn),
      ...norms(`${layer}.cross_attention_layer_norm`),
      ...attention(`${layer}.cross_attention`, modelDim, attn),
      ...norms(`${layer}.ffn_layer_norm`),
      ...towerFfn(`${layer}.ffn`, den, modelDim),
      ...linear(`${layer}.modulator.fc`, 9 * modelDim, modelDim),
    })),
    ...norms('denoiser.layer_norm'),
    ...linear('denoiser.final_proj.fc', sonarEmbedDim, modelDim),
  };
}

/** Keys and shapes of a One-Tower checkpoint. */
export function oneTowerLcmShapes(config: OneTowerLcmConfig): Shapes {
  const { conditionDim, sonarEmbedDim } = config;
  return {
    ...slotLcmShapes(config, sonarEmbedDim),
    ...linear('embed_time.fc1', conditionDim, 256),
    ...linear('embed_time.fc2', conditionDim, conditionDim),
  };
}

/** Keys and shapes of a Quant-LCM checkpoint. */
export function quantLcmShapes(config: QuantLcmConfig): Shapes {
  const { conditionDim, sonarEmbedDim, numCodebooks, codebookSize, target } = config;
  return {
    ...slotLcmShapes(config, target === 'discrete' ? codebookSize : sonarEmbedDim),
    'embed_codebook.weight': [numCodebooks + 1, conditionDim],
    'quantizer.codebooks': [numCodebooks, codebookSize, sonarEmbedDim],
  };
}

function slotLcmShapes(config: SlotLcmConfig, outputDim: number): Shapes {
  const { modelDim, sonarEmbedDim, conditionDim, sonarNormalizerName, maxSeqLen, lcm } = config;
  return {
    ...(sonarNormalizerName !== null && normalizer('sonar_normalizer', sonarEmbedDim)),
    ...linear('frontend.pre_linear', modelDim, sonarEmbedDim + conditionDim),
    ...learnedPositions('frontend', lcm, maxSeqLen, modelDim),
    ...tower('lcm', lcm, modelDim),
    ...linear('postnet.fc', outputDim, modelDim),
  };
}

/** Keys and shapes of a SONAR-LLM checkpoint, without the Llama's tokens. */
export function sonarLlmShapes({ sonarEmbedDim, llama }: SonarLlmConfig): Shapes {
  const { hiddenSize, intermediateSize, numAttentionHeads, numKeyValueHeads, headDim } = llama;
  const weight = (name: string, outputDim: number, inputDim: number) =>
    linear(name, outputDim, inputDim, false);
  return {
    ...layers('llama_model.model.layers', llama.numHiddenLayers, (layer) => ({
      [`${layer}.input_layernorm.weight`]: [hiddenSize],
      ...weight(`${layer}.self_attn.q_proj`, numAttentionHeads * headDim, hiddenSize),
      ...weight(`${layer}.self_attn.k_proj`, numKeyValueHeads * headDim, hiddenSize),
      ...weight(`${layer}.self_attn.v_proj`, numKeyValueHeads * headDim, hiddenSize),
      ...weight(`${layer}.self_attn.o_proj`, hiddenSize, numAttentionHeads * headDim),
      [`${layer}.post_attention_layernorm.weight`]: [hiddenSize],
      ...weight(`${layer}.mlp.gate_proj`, intermediateSize, hiddenSize),
      ...weight(`${layer}.mlp.up_proj`, intermediateSize, hiddenSize),
      ...weight(`${layer}.mlp.down_proj`, hiddenSize, intermediateSize),
    })),
    'llama_model.model.norm.weight': [hiddenSize],
    ...linear('forward_proj.linear', hiddenSize, sonarEmbedDim),
    ...linear('reverse_proj.linear', sonarEmbedDim, hiddenSize),
  };
}

function tower(prefix: string, config: TransformerConfig, modelDim: number): Shapes {
  return {
    ...layers(`${prefix}.layers`, config.numLayers, (layer) => ({
      ...towerNorm(`${layer}.self_attn_layer_norm`, config, modelDim),
      ...attention(`${layer}.self_attn`, modelDim, { hasOutputBias: config.mhaOutputProjBias }),
      ...towerNorm(`${layer}.ffn_layer_norm`, config, modelDim),
      ...towerFfn(`${layer}.ffn`, config, modelDim),
    })),
    ...towerNorm(`${prefix}.layer_norm`, config, modelDim),
  };
}

function towerNorm(name: string, config: TransformerConfig, modelDim: number): Shapes {
  if (config.layerNormalizationStyle === 'standard') return norm(name, modelDim);
  return { [`${name}.weight`]: [modelDim] };
}

function towerFfn(name: string, config: TransformerConfig, modelDim: number): Shapes {
  const innerDim = ffnDim(config);
  return {
    ...(config.useSwiglu && linear(`${name}.gate_proj`, innerDim, modelDim)),
    ...linear(`${name}.inner_proj`, innerDim, modelDim),
    ...linear(`${name}.output_proj`, modelDim, innerDim),
  };
}

function learnedPositions(
  prefix: string,
  { posEmbeddingStyle }: TransformerConfig,
  maxSeqLen: number,
  modelDim: number,
): Shapes {
  if (posEmbeddingStyle !== 'learned') return {};
  return { [`${prefix}.pos_encoder.weight`]: [maxSeqLen, modelDim] };
}

function normalizer(name: string, sonarEmbedDim: number): Shapes {
  return { [`${name}.center`]: [sonarEmbedDim], [`${name}.scale`]: [sonarEmbedDim] };
}

function attention(
  name: string,
  modelDim: number,
  { inputDim = modelDim, hasOutputBias = true } = {},
): Shapes {
  return {
    ...linear(`${name}.q_proj`, modelDim, modelDim),
    ...linear(`${name}.k_proj`, modelDim, inputDim),
    ...linear(`${name}.v_proj`, modelDim, inputDim),
    ...linear(`${name}.output_proj`, modelDim, modelDim, hasOutputBias),
  };
}

function linear(name: string, outputDim: number, inputDim: number, hasBias = true): Shapes {
  const weight = { [`${name}.weight`]: [outputDim, inputDim] };
  return hasBias ? { ...weight, [`${name}.bias`]: [outputDim] } : weight;
}

function norm(name: string, modelDim: number): Shapes {
  return { [`${name}.weight`]: [modelDim], [`${name}.bias`]: [modelDim] };
}

function layers(prefix: string, count: number, layer: (name: string) => Shapes): Shapes {
  return Object.assign({}, ...Array.from({ length: count }, (_, i) => layer(`${prefix}.${i}`)));
}
