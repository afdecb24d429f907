import {
  type ConceptModelConfig,
  ffnDim,
  type SlotLcmConfig,
  type TransformerConfig,
} from '../../model/config.ts';
import type { WeightSource } from '../onnx/weights.ts';
import { layerCount, shapeOf } from './shapes.ts';

/*
 * What tells the architectures of concept models apart: from the weights, and from a
 * configuration. Two networks with the same facts have weights of the same names and shapes.
 */

/** Values by the reference's names of fields. */
export type Facts = Readonly<Record<string, string | number | boolean>>;

/**
 * Returns the facts of a checkpoint; none when it is of no family whose facts we know.
 *
 * @throws WeightMismatchError when a tensor is missing that every model of the family has
 */
export function factsOfConceptModel(weights: WeightSource): Facts {
  const has = (prefix: string) => weights.names().some((name) => name.startsWith(prefix));
  if (has('denoiser.') && has('context_encoder.')) {
    const [modelDim, embedDim] = shapeOf(weights, 'encoder_frontend.pre_linear.weight', 2);
    return {
      model_type: 'two_tower_diffusion_lcm',
      sonar_embed_dim: embedDim,
      model_dim: modelDim,
      ...factsOfTower(weights, 'context_encoder', 'encoder_frontend'),
      ...factsOfTower(weights, 'denoiser', 'denoiser'),
    };
  }
  if (has('embed_time.')) {
    const [conditionDim] = shapeOf(weights, 'embed_time.fc2.weight', 2);
    return { model_type: 'one_tower_diffusion_lcm', ...factsOfSlots(weights, conditionDim) };
  }
  if (has('quantizer.')) {
    const [, conditionDim] = shapeOf(weights, 'embed_codebook.weight', 2);
    const [numCodebooks, codebookSize] = shapeOf(weights, 'quantizer.codebooks', 3);
    const [outputDim] = shapeOf(weights, 'postnet.fc.weight', 2);
    return {
      model_type: 'quant_lcm',
      ...factsOfSlots(weights, conditionDim),
      'quantizer.num_codebooks': numCodebooks,
      'quantizer.codebook_size': codebookSize,
      output_dim: outputDim,
    };
  }
  if (has('lcm.layers.')) {
    const [modelDim, embedDim] = shapeOf(weights, 'frontend.pre_linear.weight', 2);
    return {
      model_type: 'base_lcm',
      sonar_embed_dim: embedDim,
      model_dim: modelDim,
      ...factsOfTower(weights, 'lcm', 'frontend'),
    };
  }
  if (has('llama_model.')) {
    const [hiddenSize, embedDim] = shapeOf(weights, 'forward_proj.linear.weight', 2);
    const layers = 'llama_model.model.layers';
    const [attentionDim] = shapeOf(weights, `${layers}.0.self_attn.q_proj.weight`, 2);
    const [keyValueDim] = shapeOf(weights, `${layers}.0.self_attn.k_proj.weight`, 2);
    const [intermediateSize] = shapeOf(weights, `${layers}.0.mlp.gate_proj.weight`, 2);
    return {
      model_type: 'sonar_llm',
      embed_dim: embedDim,
      hidden_size: hiddenSize,
      num_hidden_layers: layerCount(weights, layers),
      intermediate_size: intermediateSize,
      attention_dim: attentionDim,
      key_value_dim: keyValueDim,
    };
  }
  return {};
}

/** Returns the facts of a configuration; none of a family whose facts we do not know. */
export function factsOfConfig(config: ConceptModelConfig): Facts {
  switch (config.modelType) {
    case 'two_tower_diffusion_lcm':
      return {
        model_type: config.modelType,
        sonar_embed_dim: config.sonarEmbedDim,
        model_dim: config.modelDim,
        ...factsOfTransformer('context_encoder', config.contextEncoder),
        ...factsOfTransformer('denoiser', config.denoiser),
      };
    case 'one_tower_diffusion_lcm':
      return { model_type: config.modelType, ...factsOfSlotConfig(config) };
    case 'quant_lcm':
      return {
        model_type: config.modelType,
        ...factsOfSlotConfig(config),
        'quantizer.num_codebooks': config.numCodebooks,
        'quantizer.codebook_size': config.codebookSize,
        output_dim: config.target === 'discrete' ? config.codebookSize : config.sonarEmbedDim,
      };
    case 'base_lcm':
      return {
        model_type: config.modelType,
        sonar_embed_dim: config.sonarEmbedDim,
        model_dim: config.modelDim,
        ...factsOfTransformer('lcm', config.lcm),
      };
    case 'sonar_llm': {
      const { llama } = config;
      return {
        model_type: config.modelType,
        embed_dim: config.sonarEmbedDim,
        hidden_size: llama.hiddenSize,
        num_hidden_layers: llama.numHiddenLayers,
        intermediate_size: llama.intermediateSize,
        attention_dim: llama.numAttentionHeads * llama.headDim,
        key_value_dim: llama.numKeyValueHeads * llama.headDim,
      };
    }
  }
}

/** What One-Tower and Quant-LCM have in common. */
function factsOfSlots(weights: WeightSource, conditionDim: number): Facts {
  const [modelDim, inputDim] = shapeOf(weights, 'frontend.pre_linear.weight', 2);
  return {
    sonar_embed_dim: inputDim - conditionDim,
    condition_dim: conditionDim,
    model_dim: modelDim,
    ...factsOfTower(weights, 'lcm', 'frontend'),
  };
}

function factsOfSlotConfig({ sonarEmbedDim, conditionDim, modelDim, lcm }: SlotLcmConfig): Facts {
  return {
    sonar_embed_dim: sonarEmbedDim,
    condition_dim: conditionDim,
    model_dim: modelDim,
    ...factsOfTransformer('lcm', lcm),
  };
}

function factsOfTower(weights: WeightSource, tower: string, frontend: string): Facts {
  const layers = `${tower}.layers`;
  const first = `${layers}.0`;
  const [innerDim] = shapeOf(weights, `${first}.ffn.inner_proj.weight`, 2);
  return {
    [`${tower}.num_layers`]: layerCount(weights, layers),
    [`${tower}.ffn_inner_dim`]: innerDim,
    [`${tower}.use_swiglu`]: weights.has(`${first}.ffn.gate_proj.weight`),
    [`${tower}.has_norm_bias`]: weights.has(`${first}.ffn_layer_norm.bias`),
    [`${tower}.mha_output_proj_bias`]: weights.has(`${first}.self_attn.output_proj.bias`),
    [`${tower}.has_pos_encoder`]: weights.has(`${frontend}.pos_encoder.weight`),
  };
}

function factsOfTransformer(tower: string, config: TransformerConfig): Facts {
  return {
    [`${tower}.num_layers`]: config.numLayers,
    [`${tower}.ffn_inner_dim`]: ffnDim(config),
    [`${tower}.use_swiglu`]: config.useSwiglu,
    [`${tower}.has_norm_bias`]: config.layerNormalizationStyle !== 'rms',
    [`${tower}.mha_output_proj_bias`]: config.mhaOutputProjBias,
    [`${tower}.has_pos_encoder`]: config.posEmbeddingStyle === 'learned',
  };
}
