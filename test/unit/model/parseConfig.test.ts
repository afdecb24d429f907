import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CheckpointFormatError, CheckpointUnsupportedError } from '../../../server/base/errors.ts';
import { encoderMaxSeqLen } from '../../../server/model/config.ts';
import {
  parseConfig,
  parseDecoderConfig,
  parseEncoderConfig,
} from '../../../server/model/parseConfig.ts';
import { sonarLanguages } from '../../../server/text/languages.ts';
import { tinyConfig } from '../../support/tinySources.ts';

const basic = { encoder: { arch: 'basic' }, decoder: { arch: 'basic' } };

function parse(config: unknown) {
  return parseText(JSON.stringify(config));
}

function parseText(text: string) {
  const { encoder, decoder, ...common } = parseConfig(text, 'config.json');
  return {
    ...common,
    encoder: parseEncoderConfig(encoder),
    decoder: parseDecoderConfig(decoder),
  };
}

test('the official architecture is the one of the reference', () => {
  const { encoder, decoder, langs, defaultLang, name, space } = parse(basic);
  const vocabInfo = { size: 256206, unkIdx: 1, bosIdx: 2, eosIdx: 3, padIdx: 1 };
  const sonar = {
    modelDim: 1024,
    maxSeqLen: 512,
    vocabInfo,
    ffnInnerDim: 8192,
    activationFn: 'ReLU',
    layernormEmbedding: false,
    noScaleEmbedding: false,
    noTokenPositionalEmbeddings: false,
    learnedPos: false,
  };
  assert.deepEqual(encoder, {
    ...sonar,
    numEncoderLayers: 24,
    numEncoderAttnHeads: 16,
    pooling: 'mean',
    normalizeBefore: false,
    fromFairseq: true,
  });
  assert.deepEqual(decoder, {
    ...sonar,
    numDecoderLayers: 24,
    numDecoderAttnHeads: 16,
    inputDim: null,
  });
  assert.equal(encoderMaxSeqLen(encoder), 514);
  assert.equal(vocabInfo.size, 256000 + 1 + langs.length + 3);
  assert.deepEqual([name, space, defaultLang], [null, null, 'eng_Latn']);
});

test('fields override the architecture, object within object', () => {
  const { encoder, decoder } = parse({
    encoder: { arch: 'small', model_dim: 512, vocab_info: { size: 100 }, _from_fairseq: false },
    decoder: { arch: 'toy', vocab_info: { pad_idx: 0 } },
  });
  assert.equal(encoder.modelDim, 512);
  assert.equal(encoder.ffnInnerDim, 4096);
  assert.deepEqual(encoder.vocabInfo, { size: 100, unkIdx: 1, bosIdx: 2, eosIdx: 3, padIdx: 1 });
  assert.equal(encoderMaxSeqLen(encoder), 512);
  assert.equal(decoder.vocabInfo.size, 1024);
  assert.equal(decoder.vocabInfo.padIdx, 0);
});

test('the languages are the official ones in id order unless they are given', () => {
  assert.equal(sonarLanguages.length, 202);
  assert.equal(new Set(sonarLanguages).size, 202);
  for (const [lang, id] of [
    ['ace_Arab', 256001],
    ['eng_Latn', 256047],
    ['pes_Arab', 256053],
    ['zho_Hant', 256201],
    ['zul_Latn', 256202],
  ] as const) {
    assert.equal(sonarLanguages.indexOf(lang), id - 256001, lang);
  }
  const langsOf = (tokenizer: object) => {
    const { langs, defaultLang } = parse({ ...basic, tokenizer });
    return [langs, defaultLang];
  };
  assert.deepEqual(langsOf({ langs: ['deu_Latn', 'fra_Latn'] }), [
    ['deu_Latn', 'fra_Latn'],
    'deu_Latn',
  ]);
  assert.deepEqual(langsOf({ langs: ['deu_Latn', 'eng_Latn'] })[1], 'eng_Latn');
  assert.deepEqual(langsOf({ default_lang: 'zul_Latn' })[1], 'zul_Latn');
});

test('fields of training and null for optional fields change nothing', () => {
  const training = {
    emb_dropout_p: 0.1,
    attention_dropout_p: 'any',
    activation_dropout_p: null,
    num_decoder_layers: 24,
  };
  const optional = { activation_fn: null, embedding_dim: null, decoder_ffn_inner_dim: 8192 };
  assert.deepEqual(
    parse({
      ...basic,
      description: 'of the author',
      encoder: { arch: 'basic', ...training, ...optional },
      decoder: { arch: 'basic', ...training, normalize_before: true, input_dim: null },
    }),
    parse(basic),
  );
});

/** Parses a configuration whose encoder or decoder has other fields. */
function check(
  part: 'encoder' | 'decoder',
  fields: object,
  errorClass: new (message: string) => Error,
  expected: string,
): void {
  const config = { ...tinyConfig, [part]: { ...tinyConfig[part], ...fields } };
  assert.throws(
    () => parse(config),
    (error) => {
      assert.ok(error instanceof errorClass, String(error));
      assert.equal(error.message, `config.json: ${part}${expected}`);
      return true;
    },
  );
}

test('what we cannot honour is refused by its name', () => {
  const cases: readonly ['encoder' | 'decoder', object, string][] = [
    [
      'encoder',
      { pooling: 'attention' },
      '.pooling: expected mean or max or last, found "attention"',
    ],
    ['encoder', { layernorm_embedding: true }, '.layernorm_embedding: expected false, found true'],
    ['encoder', { learned_pos: true }, '.learned_pos: expected false, found true'],
    ['encoder', { activation_fn: 'GELU' }, '.activation_fn: expected ReLU, found "GELU"'],
    ['encoder', { embedding_dim: 64 }, '.embedding_dim: expected model_dim 32, found 64'],
    ['encoder', { arch: 'large' }, '.arch: expected basic or small, found "large"'],
    ['encoder', { num_layer: 2 }, ': expected no field "num_layer", found 2'],
    [
      'decoder',
      { no_token_positional_embeddings: true },
      '.no_token_positional_embeddings: expected false, found true',
    ],
    [
      'decoder',
      { num_encoder_attn_heads: 8 },
      '.num_encoder_attn_heads: expected 4 as in num_decoder_attn_heads, found 8',
    ],
  ];
  for (const [part, fields, expected] of cases) {
    check(part, fields, CheckpointUnsupportedError, expected);
  }
});

test('wrong types and absurd sizes are told with what was expected and found', () => {
  const dims = 'expected an integer from 1 to 65536';
  const cases: readonly [object, string][] = [
    [{ model_dim: '32' }, `.model_dim: ${dims}, found "32"`],
    [{ model_dim: 0 }, `.model_dim: ${dims}, found 0`],
    [{ model_dim: -32 }, `.model_dim: ${dims}, found -32`],
    [{ model_dim: 32.5 }, `.model_dim: ${dims}, found 32.5`],
    [{ model_dim: 1e12 }, `.model_dim: ${dims}, found 1000000000000`],
    [{ model_dim: null }, `.model_dim: ${dims}, found null`],
    [{ model_dim: undefined }, `.model_dim: ${dims}, found nothing`],
    [{ model_dim: 33 }, '.model_dim: expected an even number, 4 or more, found 33'],
    [
      { num_encoder_attn_heads: 5 },
      '.num_encoder_attn_heads: expected a divisor of model_dim 32, found 5',
    ],
    [
      { num_encoder_layers: 1e9 },
      '.num_encoder_layers: expected an integer from 1 to 320, found 1000000000',
    ],
    [{ max_seq_len: 1e9 }, '.max_seq_len: expected an integer from 1 to 32768, found 1000000000'],
    [{ ffn_inner_dim: [] }, '.ffn_inner_dim: expected an integer from 1 to 1048576, found []'],
    [{ vocab_info: 40 }, '.vocab_info: expected an object, found 40'],
    [
      { vocab_info: { size: 1e9 } },
      '.vocab_info.size: expected an integer from 4 to 4194304, found 1000000000',
    ],
    [
      { vocab_info: { size: 40, eos_idx: 40 } },
      '.vocab_info.eos_idx: expected an integer from 0 to 39, found 40',
    ],
    [{ layernorm_embedding: 'no' }, '.layernorm_embedding: expected false, found "no"'],
    [{ no_scale_embedding: 0 }, '.no_scale_embedding: expected true or false, found 0'],
    [{ pooling: 1 }, '.pooling: expected mean or max or last, found 1'],
    [{ arch: 7 }, '.arch: expected basic or small, found 7'],
  ];
  for (const [fields, expected] of cases) check('encoder', fields, CheckpointFormatError, expected);
});

test('what is no configuration is malformed and nothing worse', () => {
  const texts = [
    '',
    'null',
    '[]',
    '{}',
    '{"encoder":{}}',
    '{"encoder":{"arch":"basic"}}',
    '['.repeat(10_000),
    `${JSON.stringify(basic)}}`,
    JSON.stringify({ ...basic, lcm: [] }),
    JSON.stringify({ ...basic, lcm: { base: 1 } }),
    JSON.stringify({ ...basic, name: 7 }),
    JSON.stringify({ ...basic, directions: { shorter: 1 } }),
    JSON.stringify({ ...basic, directions: ['shorter', 'shorter'] }),
    JSON.stringify({ ...basic, directions: ['../shorter'] }),
    JSON.stringify({ ...basic, directions: Array(257).fill('shorter') }),
    JSON.stringify({ ...basic, space: '' }),
    JSON.stringify({ ...basic, tokenizer: { langs: [] } }),
    JSON.stringify({ ...basic, tokenizer: { langs: ['eng_Latn', 'eng_Latn'] } }),
    JSON.stringify({ ...basic, tokenizer: { langs: ['a'.repeat(1000)] } }),
    JSON.stringify({ ...basic, tokenizer: { default_lang: 'tlh_Latn' } }),
    JSON.stringify({
      ...basic,
      lcm: Object.fromEntries(
        Array(200)
          .fill({})
          .map((v, i) => [i, v]),
      ),
    }),
  ];
  for (const text of texts) {
    assert.throws(() => parseText(text), CheckpointFormatError, text.slice(0, 60));
  }
  const whole = JSON.stringify(tinyConfig);
  for (let length = 0; length < whole.length; length += 1) {
    assert.throws(() => parseText(whole.slice(0, length)), CheckpointFormatError);
  }
});

test('a field named after something every object has is an unknown field', () => {
  const text = JSON.stringify(basic).replace('{"arch"', '{"__proto__":{"model_dim":1},"arch"');
  assert.throws(() => parseText(text), CheckpointUnsupportedError);
});
