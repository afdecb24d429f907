import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CheckpointFormatError, CheckpointUnsupportedError } from '../../../server/base/errors.ts';
import { ffnDim } from '../../../server/model/config.ts';
import { parseConceptModelConfig } from '../../../server/model/parseConceptModelConfig.ts';
import { parseConfig } from '../../../server/model/parseConfig.ts';
import { noSampling } from '../../../server/model/parseSampling.ts';
import { tinyConfidence, tinyConfig } from '../../support/tinySources.ts';

const baseNames = ['lcm.layers.0.ffn_layer_norm.weight', 'frontend.sonar_normalizer.center'];
const twoTowerNames = ['denoiser.layer_norm.weight', 'sonar_normalizer.center'];

function parse(lcm: object, weightNames: readonly string[]) {
  const config = parseConfig(JSON.stringify({ ...tinyConfig, lcm: { mine: lcm } }), 'config.json');
  const fields = config.conceptModels.get('mine');
  assert.ok(fields);
  return parseConceptModelConfig(fields, weightNames);
}

test('the family and the normaliser are found from the names of the weights', () => {
  const base = parse({}, baseNames);
  assert.equal(base.modelType, 'base_lcm');
  assert.equal(base.sonarNormalizerName, 'sonar_normalizer');
  assert.equal(parse({}, ['lcm.layers.0.ffn_layer_norm.weight']).sonarNormalizerName, null);
  assert.equal(parse({ sonar_normalizer_name: null }, baseNames).sonarNormalizerName, null);
  assert.equal(parse({}, twoTowerNames).modelType, 'two_tower_diffusion_lcm');
  assert.equal(parse({ model_type: 'base_lcm' }, []).modelType, 'base_lcm');
  assert.throws(() => parse({}, ['codebook.weight']), CheckpointUnsupportedError);
});

test('what is left out has the default of the reference', () => {
  const base = parse({}, baseNames);
  assert.ok(base.modelType === 'base_lcm');
  assert.equal(base.maxSeqLen, 2048);
  assert.equal(base.modelDim, 1024);
  assert.equal(base.sonarEmbedDim, 1024);
  assert.deepEqual(base.lcm, {
    numLayers: 2,
    numAttnHeads: 8,
    ffnInnerDim: 4096,
    useSwiglu: false,
    ffnInnerActivationName: 'relu',
    posEmbeddingStyle: 'learned',
    ropeTheta: 10_000,
    layerNormalizationStyle: 'standard',
    normOrderStyle: 'pre',
    finalNormOrderStyle: null,
    enableQkLayernorm: false,
    mhaQkvWeightNormalization: false,
    mhaOutputWeightNormalization: false,
    mhaOutputProjBias: false,
    scaleResidual: null,
  });
  const twoTower = parse({}, twoTowerNames);
  assert.ok(twoTower.modelType === 'two_tower_diffusion_lcm');
  assert.equal(twoTower.denoiser.posEmbeddingStyle, 'none');
  assert.equal(twoTower.denoiser.timestepEmbedDim, 1024);
  assert.equal(twoTower.trainedWithCfGuidance, false);
  assert.deepEqual(twoTower.noiseScheduler, {
    numDiffusionTrainSteps: 1000,
    betaStart: 0.0001,
    betaEnd: 0.02,
    betaSchedule: 'squaredcos_cap_v2',
    scaledLinearExponent: 2,
    sigmoidScheduleAlpha: 1.5,
    sigmoidScheduleBeta: 0,
    clipSample: false,
    clipSampleRange: 1,
    setAlphaToOne: true,
    predictionType: 'sample',
    thresholding: false,
    dynamicThresholdingRatio: 0.995,
    sampleMaxValue: 1,
    rescaleBetasZeroSnr: true,
    timestepSpacing: 'trailing',
  });
});

test('the registered architectures are those of the reference', () => {
  const base = parse({ arch: 'base_lcm_1_6B' }, []);
  assert.ok(base.modelType === 'base_lcm');
  assert.deepEqual([base.modelDim, base.maxSeqLen, base.lcm.numLayers], [2048, 4096, 32]);
  assert.deepEqual([base.lcm.numAttnHeads, ffnDim(base.lcm)], [16, 5632]);
  assert.deepEqual([base.lcm.posEmbeddingStyle, base.lcm.layerNormalizationStyle], ['rope', 'rms']);
  assert.ok(base.sonarNormalizerName !== null && base.lcm.mhaOutputProjBias);

  const toy = parse({ arch: 'toy_base_lcm' }, []);
  assert.deepEqual([toy.modelType, toy.sonarNormalizerName], ['base_lcm', null]);

  for (const [arch, modelDim, denoiserLayers, heads, inner] of [
    ['two_tower_diffusion_lcm_1_6B', 2048, 13, 16, 5632],
    ['two_tower_diffusion_lcm_7B', 4096, 14, 32, 11008],
  ] as const) {
    const large = parse({ arch }, []);
    assert.ok(large.modelType === 'two_tower_diffusion_lcm');
    const { contextEncoder, denoiser, noiseScheduler } = large;
    assert.deepEqual([large.modelDim, denoiser.numLayers], [modelDim, denoiserLayers]);
    assert.deepEqual([contextEncoder.numLayers, contextEncoder.posEmbeddingStyle], [5, 'rope']);
    assert.deepEqual([denoiser.numAttnHeads, ffnDim(denoiser)], [heads, inner]);
    assert.deepEqual([denoiser.posEmbeddingStyle, denoiser.timestepEmbedDim], ['none', modelDim]);
    assert.equal(noiseScheduler.numDiffusionTrainSteps, 100);
    assert.ok(large.trainedWithCfGuidance);
  }

  const toyTwoTower = parse({ arch: 'toy_two_tower_diffusion_lcm' }, []);
  assert.ok(toyTwoTower.modelType === 'two_tower_diffusion_lcm');
  assert.equal(toyTwoTower.noiseScheduler.numDiffusionTrainSteps, 1000);
  assert.equal(ffnDim(toyTwoTower.denoiser), 4096);
});

test('One-Tower and Quant-LCM are those of the paper', () => {
  for (const [arch, modelType, target] of [
    ['one_tower_diffusion_lcm_1_6B', 'one_tower_diffusion_lcm', null],
    ['quant_lcm_c_1_6B', 'quant_lcm', 'continuous'],
    ['quant_lcm_d_1_6B', 'quant_lcm', 'discrete'],
  ] as const) {
    const config = parse({ arch }, []);
    assert.ok(config.modelType === 'one_tower_diffusion_lcm' || config.modelType === 'quant_lcm');
    const { lcm, modelDim, conditionDim } = config;
    assert.equal(config.modelType, modelType);
    assert.deepEqual(
      [modelDim, conditionDim, lcm.numLayers, lcm.numAttnHeads],
      [2048, 2048, 32, 32],
    );
    assert.deepEqual([lcm.posEmbeddingStyle, ffnDim(lcm)], ['learned', 5632]);
    assert.ok(config.trainedWithCfGuidance);
    if (config.modelType === 'quant_lcm') {
      assert.deepEqual([config.numCodebooks, config.codebookSize], [64, 8192]);
      assert.equal(config.target, target);
    } else {
      assert.equal(config.noiseScheduler.numDiffusionTrainSteps, 100);
    }
  }
  assert.equal(parse({}, ['embed_time.fc1.weight']).modelType, 'one_tower_diffusion_lcm');
  assert.equal(parse({}, ['quantizer.codebooks']).modelType, 'quant_lcm');
  assert.equal(parse({ arch: 'toy_quant_lcm' }, []).modelType, 'quant_lcm');
  const toy = parse({ arch: 'toy_one_tower_diffusion_lcm' }, []);
  assert.equal(toy.modelType, 'one_tower_diffusion_lcm');
});

const llamaNames = ['llama_model.model.norm.weight', 'forward_proj.linear.weight'];

/** Heads as large as in Llama 3.2, unless told otherwise. */
function parseLlama(llama: object, rest: object = {}) {
  const config = parse({ llama_config: llama, ...rest }, llamaNames);
  assert.ok(config.modelType === 'sonar_llm');
  return config;
}

test('the SONAR-LLMs are those of their repository', () => {
  for (const [arch, expected] of [
    ['sonar_llm_100M', [512, 2048, 8, 16, 32]],
    ['sonar_llm_300M', [1024, 4096, 10, 16, 64]],
    ['sonar_llm_600M', [1280, 5120, 16, 26, 64]],
    ['sonar_llm_900M', [1536, 6144, 17, 32, 64]],
  ] as const) {
    const config = parse({ arch }, []);
    assert.ok(config.modelType === 'sonar_llm');
    const { llama, generation } = config;
    assert.deepEqual(
      [
        llama.hiddenSize,
        llama.intermediateSize,
        llama.numHiddenLayers,
        llama.numAttentionHeads,
        llama.headDim,
      ],
      expected,
    );
    assert.equal(llama.numKeyValueHeads, llama.numAttentionHeads);
    assert.deepEqual([llama.rmsNormEps, llama.ropeTheta], [1e-6, 500_000]);
    assert.deepEqual(llama.ropeScaling, {
      factor: 32,
      lowFreqFactor: 1,
      highFreqFactor: 4,
      originalMaxPositionEmbeddings: 8192,
    });
    assert.deepEqual([generation.feedback, generation.eosThreshold], ['text', 0.98]);
  }
});

test('a published SONAR-LLM configuration is read, old or new', () => {
  const scaling = {
    factor: 32,
    low_freq_factor: 1,
    high_freq_factor: 4,
    original_max_position_embeddings: 8192,
  };
  const old = parseLlama({
    vocab_size: 128256,
    torch_dtype: 'float32',
    tie_word_embeddings: true,
    rope_theta: 500000,
    rope_scaling: { ...scaling, type: 'llama3' },
  });
  const parameters = { ...scaling, rope_type: 'llama3', rope_theta: 500000 };
  assert.deepEqual(parseLlama({ rope_parameters: parameters }), old);
  assert.equal(old.llama.ropeTheta, 500_000);
  assert.equal(parseLlama({ rope_parameters: { rope_type: 'default' } }).llama.ropeScaling, null);
  assert.equal(parseLlama({}).llama.headDim, 128);
  assert.equal(parseLlama({ num_key_value_heads: 8 }).llama.numKeyValueHeads, 8);
  assert.equal(parseLlama({}).generation.beginText, null);
  const begun = parseLlama({}, { add_begin: true, pretrained_model_name_or_path: 'x/y' });
  assert.equal(begun.generation.beginText, 'Begin of text.');
});

test('how a model writes on is the family’s, unless it says otherwise', () => {
  assert.deepEqual(parse({}, baseNames).generation, {
    feedback: 'concept',
    eosText: 'End of text.',
    eosThreshold: 0.9,
    repetitionThreshold: 0.9,
    minGenLen: 1,
    beginText: null,
  });
  const generation = {
    eos_text: 'End of response.',
    stop_on_repetition_cosine_threshold: null,
    min_seq_len: 2,
  };
  const { eosText, repetitionThreshold, minGenLen } = parse({ generation }, baseNames).generation;
  assert.deepEqual([eosText, repetitionThreshold, minGenLen], ['End of response.', null, 2]);
});

test('a configuration may recommend how to sample', () => {
  assert.deepEqual(parse({}, baseNames).sampling, noSampling);
  const sampling = { inference_timesteps: 12, guidance_scale: 2, initial_noise_scale: 0.5 };
  assert.deepEqual(parse({ sampling }, twoTowerNames).sampling, {
    ...noSampling,
    inferenceTimesteps: 12,
    guidanceScale: 2,
    initialNoiseScale: 0.5,
  });
  const units = { temperature: 0.01, top_k: 4, guidance_scale: null };
  const ofUnits = { ...noSampling, temperature: 0.01, topK: 4 };
  assert.deepEqual(parse({ sampling: units }, ['quantizer.codebooks']).sampling, ofUnits);
  assert.deepEqual(parseLlama({}, { sampling: units }).sampling, ofUnits);
});

test('a configuration may tell how sure a model is', () => {
  assert.equal(parse({}, baseNames).confidence, null);
  const { log_length: logLength, ...others } = tinyConfidence;
  const expected = { ...others, logLength };
  assert.deepEqual(parse({ confidence: tinyConfidence }, twoTowerNames).confidence, expected);
  assert.deepEqual(parseLlama({}, { confidence: tinyConfidence }).confidence, expected);
});

test('fields of training change nothing', () => {
  const transformer = {
    dropout_p: 0.1,
    final_dropout_p: 0,
    attention_dropout_p: 0,
    attention_output_init_fn: 'xavier',
  };
  const projection = { dropout_p: 0, linear_init_fn: 'zero', layer_normalization_style: 'rms' };
  const frontend = { dropout_p: 0, pre_linear_init_fn: 'kaiming_uniform', embedding_std: 1 };
  assert.deepEqual(
    parse({ frontend, lcm: transformer, postnet: projection }, baseNames),
    parse({}, baseNames),
  );
  assert.deepEqual(
    parse(
      {
        frontend,
        context_encoder: transformer,
        denoiser: { ...transformer, pre_denoiser: projection },
      },
      twoTowerNames,
    ),
    parse({}, twoTowerNames),
  );
});

test('what we cannot honour, or nobody knows, is refused by its name', () => {
  const cases: readonly [object, readonly string[], RegExp][] = [
    [{ lcm: { enable_qk_layernorm: true } }, baseNames, /lcm\.mine\.lcm\.enable_qk_layernorm/],
    [{ lcm: { mha_qkv_weight_normalization: true } }, baseNames, /mha_qkv_weight_normalization/],
    [{ lcm: { mha_output_weight_normalization: true } }, baseNames, /mha_output_weight_norm/],
    [{ lcm: { norm_order_style: 'post' } }, baseNames, /norm_order_style: expected pre/],
    [{ lcm: { pos_embedding_style: 'alibi' } }, baseNames, /pos_embedding_style/],
    [{ frontend: { weight_normalization: true } }, baseNames, /frontend\.weight_normalization/],
    [{ postnet: { weight_normalization: true } }, baseNames, /postnet\.weight_normalization/],
    [{ model_output_dim: 512 }, baseNames, /model_output_dim: expected sonar_embed_dim 1024/],
    [{ model_type: 'flow_lcm' }, baseNames, /model_type/],
    [{ arch: 'one_tower' }, baseNames, /arch/],
    [{ lcm: { num_layer: 3 } }, baseNames, /lcm\.mine\.lcm: expected no field "num_layer"/],
    [{ denoiser: {} }, baseNames, /lcm\.mine: expected no field "denoiser"/],
    [{ sonar_normalizer_name: null }, twoTowerNames, /sonar_normalizer_name: expected a norm/],
    [{ noise_scheduler: { beta_schedule: 'cosine' } }, twoTowerNames, /beta_schedule/],
    [{ noise_scheduler: { prediction_type: 'v_epsilon' } }, twoTowerNames, /prediction_type/],
    [{ target: 'both' }, ['quantizer.codebooks'], /target: expected continuous or discrete/],
    [{ quantizer: { codebooks: 4 } }, ['quantizer.codebooks'], /quantizer: expected no field/],
    [{ frontend: { scale_embeddings: true } }, ['embed_time.fc1.bias'], /scale_embeddings/],
    [{ llama_config: { attention_bias: true } }, llamaNames, /attention_bias: expected false/],
    [{ llama_config: { hidden_act: 'gelu' } }, llamaNames, /hidden_act: expected silu/],
    [{ llama_config: { rope_scaling: { rope_type: 'yarn' } } }, llamaNames, /rope_type/],
    [{ generation: { eos: 'x' } }, baseNames, /generation: expected no field "eos"/],
    [{ confidence: { ...tinyConfidence, topic: 1 } }, baseNames, /expected no field "topic"/],
    [{ sampling: { steps: 8 } }, baseNames, /sampling: expected no field "steps"/],
  ];
  for (const [lcm, names, message] of cases) {
    assert.throws(
      () => parse(lcm, names),
      (error) => error instanceof CheckpointUnsupportedError && message.test(error.message),
      String(message),
    );
  }
});

test('wrong types and absurd sizes are told by name', () => {
  const cases: readonly [object, readonly string[], RegExp][] = [
    [{ lcm: { num_layers: 1e6 } }, baseNames, /lcm\.mine\.lcm\.num_layers/],
    [{ lcm: { num_attn_heads: 7 } }, baseNames, /num_attn_heads: expected a divisor/],
    [
      { model_dim: 24, lcm: { num_attn_heads: 8, pos_embedding_style: 'rope' } },
      baseNames,
      /num_attn_heads: expected heads of an even dimension/,
    ],
    [{ lcm: { rope_theta: 0 } }, baseNames, /rope_theta/],
    [{ lcm: { rope_theta: 'big' } }, baseNames, /rope_theta/],
    [{ max_seq_len: 1e9 }, baseNames, /max_seq_len/],
    [{ frontend: null }, baseNames, /frontend: expected an object, found null/],
    [
      { denoiser: { timestep_embed_dim: 512 } },
      twoTowerNames,
      /timestep_embed_dim: expected model/,
    ],
    [{ noise_scheduler: { num_diffusion_train_steps: 1e9 } }, twoTowerNames, /train_steps/],
    [{ noise_scheduler: { num_diffusion_train_steps: 0 } }, twoTowerNames, /train_steps/],
    [{ noise_scheduler: { beta_end: 2 } }, twoTowerNames, /beta_end/],
    [{ noise_scheduler: { clip_sample: 1 } }, twoTowerNames, /clip_sample/],
    [{ max_seq_len: 1 }, ['embed_time.fc1.bias'], /max_seq_len: expected a concept and a slot/],
    [{ quantizer: { num_codebooks: 1e6 } }, ['quantizer.codebooks'], /num_codebooks/],
    [{ quantizer: { codebook_size: 0 } }, ['quantizer.codebooks'], /codebook_size/],
    [{}, llamaNames, /llama_config: expected an object/],
    [
      { llama_config: { num_key_value_heads: 5 } },
      llamaNames,
      /num_key_value_heads: expected a div/,
    ],
    [{ llama_config: { head_dim: 7 } }, llamaNames, /head_dim: expected an even number/],
    [{ llama_config: { num_hidden_layers: 1e6 } }, llamaNames, /num_hidden_layers/],
    [{ llama_config: { rope_scaling: { rope_type: 'llama3' } } }, llamaNames, /factor: expected/],
    [{ llama_config: {}, embed_dim: 0 }, llamaNames, /embed_dim: expected an integer/],
    [{ generation: { eos_threshold: 2 } }, baseNames, /eos_threshold: expected a number/],
    [{ confidence: { ...tinyConfidence, score: null } }, baseNames, /confidence.score: expected/],
    [{ confidence: { ...tinyConfidence, langs: 'eng' } }, baseNames, /confidence.langs: expected/],
    [{ confidence: { bias: 1 } }, baseNames, /confidence.langs: expected/],
    [{ sampling: [] }, baseNames, /sampling: expected an object/],
    [{ sampling: { inference_timesteps: 1e9 } }, baseNames, /inference_timesteps: expected an int/],
    [{ sampling: { inference_timesteps: 0.5 } }, baseNames, /inference_timesteps: expected an int/],
    [
      {
        sampling: { inference_timesteps: 101 },
        noise_scheduler: { num_diffusion_train_steps: 100 },
      },
      twoTowerNames,
      /inference_timesteps: expected at most the 100 steps of training, found 101/,
    ],
    [{ sampling: { guidance_scale: -1 } }, baseNames, /guidance_scale: expected a number/],
    [{ sampling: { initial_noise_scale: 'much' } }, baseNames, /initial_noise_scale: expected/],
    [{ sampling: { temperature: 0 } }, baseNames, /temperature: expected a number/],
    [{ sampling: { top_k: 0 } }, baseNames, /top_k: expected an integer/],
  ];
  for (const [lcm, names, message] of cases) {
    assert.throws(
      () => parse(lcm, names),
      (error) => error instanceof CheckpointFormatError && message.test(error.message),
      String(message),
    );
  }
});
