import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CheckpointFormatError, CheckpointUnsupportedError } from '../../../server/base/errors.ts';
import { buildSonarDecoder } from '../../../server/compiler/models/sonarDecoder.ts';
import { buildSonarEncoder } from '../../../server/compiler/models/sonarEncoder.ts';
import { buildTwoTowerLcm } from '../../../server/compiler/models/twoTowerLcm.ts';
import {
  configureConceptModel,
  configureDecoder,
  configureEncoder,
} from '../../../server/compiler/partConfig.ts';
import { Fields } from '../../../server/model/fields.ts';
import {
  configErrors,
  parseConfig,
  parseDecoderConfig,
  parseEncoderConfig,
} from '../../../server/model/parseConfig.ts';
import { shapesOnly } from '../../support/shapesOnly.ts';
import { tinySonarEncoder, tinyTwoTowerLcm } from '../../support/tinyModels.ts';
import {
  sonarDecoderShapes,
  sonarEncoderShapes,
  twoTowerLcmShapes,
} from '../../support/tinyShapes.ts';

function given(fields: object, arch?: string) {
  return { fields: new Fields(fields, 'given', configErrors), arch };
}

const basic = parseEncoderConfig(given({ arch: 'basic' }).fields);
const basicWeights = shapesOnly(sonarEncoderShapes(basic));
/** No architecture that is registered has twelve layers. */
const distilled = { ...basic, numEncoderLayers: 12 };
const distilledWeights = shapesOnly(sonarEncoderShapes(distilled));

test('official weights need no configuration, and become graphs without one', () => {
  const encoder = configureEncoder(basicWeights, given({}));
  assert.deepEqual(encoder, basic);
  buildSonarEncoder(encoder, basicWeights, { precision: 'int8' });

  const basicDecoder = parseDecoderConfig(given({ arch: 'basic' }).fields);
  const decoderWeights = shapesOnly(sonarDecoderShapes(basicDecoder));
  const decoder = configureDecoder(decoderWeights, given({}));
  assert.deepEqual(decoder, basicDecoder);
  buildSonarDecoder(decoder, decoderWeights, { precision: 'int8' });

  for (const arch of ['two_tower_diffusion_lcm_1_6B', 'two_tower_diffusion_lcm_60M']) {
    const named = configureConceptModel(shapesOnly({}), given({}, arch));
    assert.ok(named.modelType === 'two_tower_diffusion_lcm');
    const weights = shapesOnly(twoTowerLcmShapes(named));
    const found = configureConceptModel(weights, given({}));
    assert.ok(found.modelType === 'two_tower_diffusion_lcm');
    assert.deepEqual(found, named);
    buildTwoTowerLcm(found, weights, { precision: 'int8' });
  }
});

test('fields count more than the architecture, and the name in the request than in the file', () => {
  assert.equal(configureEncoder(basicWeights, given({ pooling: 'last' })).pooling, 'last');
  assert.deepEqual(configureEncoder(basicWeights, given({ pooling: 'last' })), {
    ...basic,
    pooling: 'last',
  });
  const small = configureEncoder(basicWeights, given({ arch: 'basic' }, 'small'));
  assert.equal(small.numEncoderLayers, 6);
  assert.equal(configureEncoder(basicWeights, given({ arch: 'small' })).numEncoderLayers, 6);
});

test('sizes come from the weights when the configuration has what they do not tell', () => {
  const told = { num_encoder_attn_heads: 16, max_seq_len: 512, _from_fairseq: true };
  assert.deepEqual(configureEncoder(distilledWeights, given(told)), distilled);
});

test('the config.json of an M2M100 tells heads and scale', () => {
  const hub = {
    model_type: 'm2m_100',
    architectures: ['M2M100EncoderModel'],
    activation_function: 'relu',
    d_model: 1024,
    encoder_attention_heads: 16,
    decoder_attention_heads: 8,
    encoder_layers: 3, // sizes are those of the weights
    scale_embedding: true,
    max_position_embeddings: 1024,
  };
  const parse = (changes: object) =>
    parseConfig(JSON.stringify({ ...hub, ...changes }), 'config.json');
  const encoder = (changes: object) =>
    configureEncoder(distilledWeights, { fields: parse(changes).encoder, arch: undefined });
  assert.deepEqual(encoder({}), distilled);
  assert.equal(encoder({ encoder_attention_heads: 32 }).numEncoderAttnHeads, 32);
  assert.equal(encoder({ scale_embedding: false }).noScaleEmbedding, true);
  assert.equal(parse({}).langs.length, 202);
  assert.equal(
    parseDecoderConfig(parse({}).decoder.over({ arch: 'basic' })).numDecoderAttnHeads,
    8,
  );
  assert.throws(() => parse({ activation_function: 'gelu' }), CheckpointUnsupportedError);
  assert.throws(() => parse({ d_model: 'large' }), CheckpointFormatError);
});

test('what the weights cannot tell is said with the sizes that were found', () => {
  const refused = (configure: () => unknown, message: RegExp) =>
    assert.throws(configure, (error) => {
      assert.ok(error instanceof CheckpointUnsupportedError, String(error));
      assert.match(error.message, message);
      return true;
    });
  refused(
    () => configureEncoder(distilledWeights, given({})),
    /^file: expected the sizes of an architecture we know \(basic, small\), found model_dim 1024, num_encoder_layers 12, ffn_inner_dim 8192, vocab_info\.size 256206; .*--config.*--arch$/,
  );
  refused(
    () => configureEncoder(distilledWeights, given({ pooling: 'mean' })),
    /num_encoder_layers 12/,
  );
  refused(
    () => configureConceptModel(shapesOnly(twoTowerLcmShapes(tinyTwoTowerLcm)), given({})),
    /two_tower_diffusion_lcm_7B.*found model_type two_tower_diffusion_lcm, sonar_embed_dim 16/,
  );
  refused(
    () => configureConceptModel(shapesOnly({ 'flow.weight': [1] }), given({})),
    /found other weights/,
  );
  refused(
    () => configureEncoder(shapesOnly(sonarEncoderShapes(tinySonarEncoder)), given({}, 'huge')),
    /^given\.arch: expected basic or small, found "huge"$/,
  );
});
