import type { Layout } from './layout.ts';

/**
 * The names of SONAR-LLM: a Llama of Hugging Face between two projections. Its sentences never
 * become tokens, so the Llama's table of tokens and its output projection are not needed; the
 * frozen decoder it was trained with is SONAR's own.
 *
 * reference: FusionBrainLab/SONAR-LLM, SONARLLMGenerator
 */
export const sonarLlm: Layout = {
  name: 'SONAR-LLM',
  marks: ['llama_model.{*}'],
  prefixes: ['model.', ''],
  leftAside: [
    'sonar_decoder.{*}',
    'llama_model.lm_head.weight',
    'llama_model.model.embed_tokens.weight',
    // Frequencies of the positions, which we compute; older versions of Hugging Face stored them.
    'llama_model.model.rotary_emb.inv_freq',
    'llama_model.model.layers.{i}.self_attn.rotary_emb.inv_freq',
  ],
  renames: [['{*}', '{*}']],
};
