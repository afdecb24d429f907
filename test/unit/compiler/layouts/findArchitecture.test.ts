import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WeightMismatchError } from '../../../../server/base/errors.ts';
import {
  type FoundArchitecture,
  findConceptModel,
  findDecoder,
  findEncoder,
} from '../../../../server/compiler/layouts/findArchitecture.ts';
import type { WeightSource } from '../../../../server/compiler/onnx/weights.ts';
import {
  conceptModelArchitectures,
  decoderArchitectures,
  encoderArchitectures,
} from '../../../../server/model/architectures.ts';
import { Fields } from '../../../../server/model/fields.ts';
import { parseConceptModelConfig } from '../../../../server/model/parseConceptModelConfig.ts';
import {
  configErrors,
  parseDecoderConfig,
  parseEncoderConfig,
} from '../../../../server/model/parseConfig.ts';
import { elementCount } from '../../../../server/tensor/tensor.ts';
import { shapesOnly } from '../../../support/shapesOnly.ts';
import { tinyTwoTowerLcm } from '../../../support/tinyModels.ts';
import {
  baseLcmShapes,
  oneTowerLcmShapes,
  quantLcmShapes,
  type Shapes,
  sonarDecoderShapes,
  sonarEncoderShapes,
  sonarLlmShapes,
  twoTowerLcmShapes,
} from '../../../support/tinyShapes.ts';

function named(arch: string): Fields {
  return new Fields({ arch }, arch, configErrors);
}

function conceptModelShapes(arch: string): Shapes {
  const config = parseConceptModelConfig(named(arch), []);
  switch (config.modelType) {
    case 'base_lcm':
      return baseLcmShapes(config);
    case 'two_tower_diffusion_lcm':
      return twoTowerLcmShapes(config);
    case 'one_tower_diffusion_lcm':
      return oneTowerLcmShapes(config);
    case 'quant_lcm':
      return quantLcmShapes(config);
    case 'sonar_llm':
      return sonarLlmShapes(config);
  }
}

/** Numbers in a checkpoint, normalisers not counted: they are no parameters. */
function parameterCount(shapes: Shapes): number {
  return Object.entries(shapes)
    .filter(([name]) => !name.includes('sonar_normalizer'))
    .reduce((sum, [, shape]) => sum + elementCount(shape), 0);
}

/** Checks that an architecture is found by the shapes of its own weights. */
function check(
  arch: string,
  shapes: Shapes,
  find: (weights: WeightSource) => FoundArchitecture,
): void {
  assert.equal(find(shapesOnly(shapes)).arch, arch);
}

test('every registered architecture is found by the names and shapes of its weights', () => {
  for (const arch of Object.keys(encoderArchitectures)) {
    check(arch, sonarEncoderShapes(parseEncoderConfig(named(arch))), findEncoder);
  }
  for (const arch of Object.keys(decoderArchitectures)) {
    check(arch, sonarDecoderShapes(parseDecoderConfig(named(arch))), findDecoder);
  }
  for (const arch of Object.keys(conceptModelArchitectures)) {
    check(arch, conceptModelShapes(arch), findConceptModel);
  }
});

test('the registered architectures have as many parameters as the official models', () => {
  const encoder = sonarEncoderShapes(parseEncoderConfig(named('basic')));
  const decoder = sonarDecoderShapes(parseDecoderConfig(named('basic')));
  assert.equal(parameterCount(encoder), 766_091_264);
  assert.equal(parameterCount(decoder), 866_902_016);
  for (const [arch, expected] of [
    ['toy_base_lcm', 29_388_800],
    ['base_lcm_1_6B', 1_649_185_792],
    ['toy_two_tower_diffusion_lcm', 84_235_264],
    ['two_tower_diffusion_lcm_1_6B', 1_645_538_304],
    ['two_tower_diffusion_lcm_7B', 6_930_781_696],
    // Without the tables of tokens, which no sentence needs.
    ['sonar_llm_100M', 34_613_248],
    ['sonar_llm_300M', 169_892_864],
    ['sonar_llm_600M', 453_553_664],
    ['sonar_llm_900M', 698_407_936],
  ] as const) {
    assert.equal(parameterCount(conceptModelShapes(arch)), expected, arch);
  }
});

test('the architectures of the fork have about as many parameters as their names say', () => {
  for (const millions of [60, 130, 250, 370, 780]) {
    const count = parameterCount(conceptModelShapes(`two_tower_diffusion_lcm_${millions}M`)) / 1e6;
    assert.ok(Math.abs(count - millions) < 0.1 * millions, `${millions}: ${count}`);
  }
});

test('weights of other sizes have no name, and tell their sizes', () => {
  const config = { ...parseEncoderConfig(named('basic')), numEncoderLayers: 12 };
  assert.deepEqual(findEncoder(shapesOnly(sonarEncoderShapes(config))), {
    arch: null,
    facts: {
      model_dim: 1024,
      num_encoder_layers: 12,
      ffn_inner_dim: 8192,
      'vocab_info.size': 256206,
    },
    fields: {
      model_dim: 1024,
      num_encoder_layers: 12,
      ffn_inner_dim: 8192,
      vocab_info: { size: 256206 },
    },
  });
  const tiny = findConceptModel(shapesOnly(twoTowerLcmShapes(tinyTwoTowerLcm)));
  assert.equal(tiny.arch, null);
  assert.equal(tiny.facts['context_encoder.num_layers'], 1);
  assert.equal(tiny.facts['denoiser.num_layers'], 2);
});

test('a decoder of other concepts than SONAR has another architecture', () => {
  const config = parseDecoderConfig(named('basic'));
  const found = findDecoder(shapesOnly(sonarDecoderShapes({ ...config, inputDim: 384 })));
  assert.deepEqual([found.arch, found.facts['input_dim']], [null, 384]);
});

test('a layer too few, another inner dimension or a bias makes another architecture', () => {
  const shapes = conceptModelShapes('two_tower_diffusion_lcm_1_6B');
  const withoutLast = Object.entries(shapes).filter(
    ([name]) => !name.startsWith('denoiser.layers.12.'),
  );
  const inner = 'context_encoder.layers.0.ffn.inner_proj.weight';
  const bias = 'denoiser.layers.0.ffn_layer_norm.bias';
  for (const changed of [
    Object.fromEntries(withoutLast),
    { ...shapes, [inner]: [8192, 2048] },
    { ...shapes, [bias]: [2048] },
  ]) {
    assert.equal(findConceptModel(shapesOnly(changed)).arch, null);
  }
});

test('a tensor that every model of the kind has is told when it is missing', () => {
  const shapes = sonarEncoderShapes(parseEncoderConfig(named('basic')));
  const { 'encoder_frontend.embed.weight': _, ...missing } = shapes;
  const message =
    /^file: encoder_frontend\.embed\.weight: expected 2 dimensions, found no such key/;
  assert.throws(() => findEncoder(shapesOnly(missing)), { name: 'WeightMismatchError', message });
  assert.throws(
    () => findEncoder(shapesOnly({ ...shapes, 'encoder_frontend.embed.weight': [7] })),
    (error) => error instanceof WeightMismatchError && /found \[7\]$/.test(error.message),
  );
});
