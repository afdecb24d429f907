import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WeightMismatchError } from '../../../../server/base/errors.ts';
import { canonicalWeights } from '../../../../server/compiler/layouts/canonicalWeights.ts';
import type { Part } from '../../../../server/compiler/layouts/layout.ts';
import { buildSonarDecoder } from '../../../../server/compiler/models/sonarDecoder.ts';
import { buildSonarEncoder } from '../../../../server/compiler/models/sonarEncoder.ts';
import { closedFormWeights } from '../../../support/closedForm.ts';
import {
  asFairseq,
  asM2m100,
  renamed,
  type Tensors,
  tensorsOf,
  vector,
  weightsOf,
} from '../../../support/layouts.ts';
import { tinySonarDecoder, tinySonarEncoder } from '../../../support/tinyModels.ts';
import { sonarDecoderShapes, sonarEncoderShapes } from '../../../support/tinyShapes.ts';

const encoder = tensorsOf(closedFormWeights(sonarEncoderShapes(tinySonarEncoder)));
const decoder = tensorsOf(closedFormWeights(sonarDecoderShapes(tinySonarDecoder)));
const embed = 'decoder_frontend.embed.weight';
const untied: Tensors = new Map([
  ...decoder,
  ['final_proj.weight', { shape: [40, 32], values: new Float32Array(40 * 32).fill(0.5) }],
]);

/** Checks that a checkpoint of another layout has our names and numbers. */
function check(tensors: Tensors, part: Part, expected: Tensors): void {
  const canonical = canonicalWeights(weightsOf('file', tensors), part);
  assert.deepEqual([...canonical.names()].sort(), [...expected.keys()].sort());
  for (const [name, { shape, values }] of expected) {
    assert.ok(canonical.has(name));
    assert.deepEqual(canonical.shape(name), shape, name);
    assert.deepEqual(canonical.read(name), values, name);
  }
}

const model = { prefix: 'model.encoder.', embed: ['model.shared.weight'] };
const decoderModel = { prefix: 'model.decoder.', embed: ['model.shared.weight'] };
const positions = (prefix: string): Tensors =>
  new Map([[`${prefix}embed_positions.weights`, vector([1, 2, 3])]]);

const encoderLayouts: Readonly<Record<string, Tensors>> = {
  'fairseq2, as we have it': encoder,
  'fairseq2 below model': renamed(encoder, (name) => `model.${name}`),
  'fairseq2 with a decoder in the same file': new Map([...encoder, ...decoder, ...untied]),
  'fairseq2 in a compiled module of data-parallel training': renamed(
    encoder,
    (name) => `module._orig_mod.${name.replace('.self_attn.', '._fsdp_wrapped_module.self_attn.')}`,
  ),
  'fairseq without a prefix': asFairseq(encoder, ''),
  'fairseq with a prefix': asFairseq(encoder, 'encoder.'),
  'fairseq with a decoder in the same file': new Map([
    ...asFairseq(encoder, 'encoder.'),
    ...asFairseq(untied, 'decoder.'),
  ]),
  M2M100Encoder: asM2m100(encoder, { prefix: '', embed: ['embed_tokens.weight'] }),
  'M2M100Encoder below model': asM2m100(encoder, {
    prefix: 'model.',
    embed: ['model.embed_tokens.weight'],
  }),
  M2M100EncoderModel: asM2m100(encoder, { prefix: 'encoder.', embed: ['shared.weight'] }),
  'M2M100EncoderModel with a tied copy': asM2m100(encoder, {
    prefix: 'encoder.',
    embed: ['shared.weight', 'encoder.embed_tokens.weight'],
  }),
  'M2M100EncoderModel with its table below encoder only': asM2m100(encoder, {
    prefix: 'encoder.',
    embed: ['encoder.embed_tokens.weight'],
  }),
  M2M100ForConditionalGeneration: new Map([
    ...asM2m100(encoder, model),
    ...asM2m100(untied, { ...decoderModel, embed: ['model.decoder.embed_tokens.weight'] }),
    ...positions('model.encoder.'),
    ...positions('model.decoder.'),
    ['final_logits_bias', vector([1, 2])],
  ]),
};

for (const [name, tensors] of Object.entries(encoderLayouts)) {
  test(`an encoder is the same in the layout: ${name}`, () => check(tensors, 'encoder', encoder));
}

const tied = [
  'model.shared.weight',
  'model.decoder.embed_tokens.weight',
  'model.encoder.embed_tokens.weight',
  'lm_head.weight',
];

const decoderLayouts: Readonly<Record<string, Tensors>> = {
  'fairseq2, as we have it': decoder,
  'fairseq2 with a tied copy': renamed(decoder, (name) =>
    name === embed ? [name, 'final_proj.weight'] : name,
  ),
  'fairseq2 with an encoder in the same file': new Map([...encoder, ...decoder]),
  'fairseq2 in a module of data-parallel training': renamed(decoder, (name) => `module.${name}`),
  'fairseq without a prefix': asFairseq(decoder, ''),
  'fairseq with a tied copy': asFairseq(
    renamed(decoder, (name) => (name === embed ? [name, 'final_proj.weight'] : name)),
    'decoder.',
  ),
  M2M100Decoder: asM2m100(decoder, { prefix: '', embed: ['embed_tokens.weight'] }),
  'M2M100Model with its decoder only': asM2m100(decoder, {
    prefix: 'decoder.',
    embed: ['decoder.embed_tokens.weight', 'shared.weight'],
  }),
  M2M100ForConditionalGeneration: asM2m100(decoder, decoderModel),
  'M2M100ForConditionalGeneration with all tied copies, buffers and an encoder': new Map([
    ...asM2m100(encoder, { ...model, embed: [] }),
    ...asM2m100(decoder, { ...decoderModel, embed: tied }),
    ...positions('model.decoder.'),
    ['final_logits_bias', { shape: [1, 40], values: new Float32Array(40) }],
  ]),
  'M2M100ForConditionalGeneration whose only table is lm_head': asM2m100(decoder, {
    ...decoderModel,
    embed: ['lm_head.weight'],
  }),
};

for (const [name, tensors] of Object.entries(decoderLayouts)) {
  test(`a decoder is the same in the layout: ${name}`, () => check(tensors, 'decoder', decoder));
}

test('a projection with numbers of its own stays one, in every layout', () => {
  for (const tensors of [
    untied,
    asFairseq(untied, 'decoder.'),
    asM2m100(untied, decoderModel),
    new Map([...asM2m100(encoder, model), ...asM2m100(untied, decoderModel)]),
  ]) {
    check(tensors, 'decoder', untied);
  }
});

test('rows that are read in part are those of the whole, the first four among them', () => {
  const port = asM2m100(encoder, { prefix: '', embed: ['embed_tokens.weight'] });
  const canonical = canonicalWeights(weightsOf('file', port), 'encoder');
  const name = 'encoder_frontend.embed.weight';
  const whole = canonical.read(name);
  for (let first = 0; first <= 6; first += 1) {
    for (let count = 1; count <= 6; count += 1) {
      const rows = canonical.readRows(name, first, count);
      assert.deepEqual(rows, whole.slice(first * 32, (first + count) * 32), `${first} + ${count}`);
    }
  }
  // hf[0, 1, 2, 3] = fs2[2, 0, 3, 1]; the spec of the ports.
  const stored = port.get('embed_tokens.weight')?.values ?? new Float32Array();
  for (const [row, from] of [2, 0, 3, 1, 4].entries()) {
    assert.deepEqual(
      stored.slice(row * 32, (row + 1) * 32),
      whole.slice(from * 32, (from + 1) * 32),
    );
  }
});

test('nothing is read before it is asked for, unless there are copies to compare', () => {
  const port = weightsOf('file', asM2m100(decoder, decoderModel));
  const refuse = () => assert.fail('expected no tensor to be read');
  canonicalWeights({ ...port, read: refuse, readRows: refuse }, 'decoder');
});

test('copies that share their bytes are not read to be compared', () => {
  const port = weightsOf('file', asM2m100(decoder, { ...decoderModel, embed: tied }));
  const refuse = () => assert.fail('expected no tensor to be read');
  const shares = () => true;
  const unread = canonicalWeights({ ...port, shares, read: refuse, readRows: refuse }, 'decoder');
  assert.ok(!unread.has('final_proj.weight'));
});

test('copies are compared a few rows at a time', () => {
  const rows = 5000;
  const values = Float32Array.from({ length: rows * 500 }, (_, i) => i % 1013);
  const table = { shape: [rows, 500], values };
  const last = { shape: [rows, 500], values: values.with(values.length - 1, -1) };
  const layer = ['decoder.layers.0.fc1.weight', vector([1])] as const;
  const longest = (tensors: Tensors) => {
    const source = weightsOf('file', tensors);
    let count = 0;
    const readRows: typeof source.readRows = (name, firstRow, rowCount) => {
      count = Math.max(count, rowCount);
      return source.readRows(name, firstRow, rowCount);
    };
    const refuse = () => assert.fail('expected rows to be read');
    const canonical = canonicalWeights({ ...source, readRows, read: refuse }, 'decoder');
    return [canonical.has('final_proj.weight'), count < rows];
  };
  const shared = ['shared.weight', table] as const;
  assert.deepEqual(longest(new Map([layer, shared, ['lm_head.weight', table]])), [false, true]);
  assert.deepEqual(longest(new Map([layer, shared, ['lm_head.weight', last]])), [true, true]);
});

function checkRefused(tensors: Tensors, part: Part, message: RegExp): void {
  assert.throws(
    () => {
      const weights = canonicalWeights(weightsOf('file.bin', tensors), part);
      if (part === 'encoder') buildSonarEncoder(tinySonarEncoder, weights, { precision: 'fp32' });
      else buildSonarDecoder(tinySonarDecoder, weights, { precision: 'fp32' });
    },
    (error) => {
      assert.ok(error instanceof WeightMismatchError, String(error));
      assert.match(error.message, message);
      return true;
    },
  );
}

const port = asM2m100(decoder, decoderModel);

function without(tensors: Tensors, key: string): Tensors {
  assert.ok(tensors.has(key));
  return new Map([...tensors].filter(([name]) => name !== key));
}

test('copies that differ are told by both names when the layout has one table for them', () => {
  const other = { shape: [40, 32], values: new Float32Array(40 * 32) };
  checkRefused(
    new Map([...port, ['model.decoder.embed_tokens.weight', other]]),
    'decoder',
    /^file\.bin: model\.decoder\.embed_tokens\.weight: expected the numbers of model\.shared\.weight, found others$/,
  );
  checkRefused(
    new Map([...asM2m100(encoder, model), ['model.encoder.embed_tokens.weight', vector([1])]]),
    'encoder',
    /model\.encoder\.embed_tokens\.weight: expected the numbers of model\.shared\.weight/,
  );
});

test('a bias of the logits is told unless it is zero', () => {
  const bias = { shape: [1, 40], values: new Float32Array(40).with(39, 1) };
  checkRefused(
    new Map([...port, ['final_logits_bias', bias]]),
    'decoder',
    /^file\.bin: final_logits_bias: expected zeros/,
  );
});

test('a key that is unknown is told as it stands in the file', () => {
  for (const key of [
    'model.decoder.embed_positions.weight',
    'model.decoder.layernorm_embedding.weight',
    'model.decoder.layers.0.self_attn.rotary.weight',
    'model.decoder.layers.0.fc1.scale',
  ]) {
    checkRefused(new Map([...port, [key, vector([1])]]), 'decoder', new RegExp(`others: ${key}$`));
  }
  checkRefused(new Map([...encoder, ['extra', vector([1])]]), 'encoder', /found 1 others: extra$/);
});

test('a layer too many is told by its key in the file and by our name', () => {
  const key = 'model.decoder.layers.2.fc1.weight';
  checkRefused(
    new Map([...port, [key, vector([1])]]),
    'decoder',
    /others: model\.decoder\.layers\.2\.fc1\.weight \(decoder\.layers\.2\.ffn\.inner_proj\.weight\)$/,
  );
});

test('a key that is missing, or of another shape, is told by its key and by our name', () => {
  const key = 'model.decoder.layers.1.fc1.weight';
  checkRefused(
    without(port, key),
    'decoder',
    /^file\.bin: layers\.1\.fc1\.weight \(decoder\.layers\.1\.ffn\.inner_proj\.weight\): expected \[64,\s?32\], found no such key$/,
  );
  checkRefused(
    new Map([...port, [key, { shape: [64, 31], values: new Float32Array(64 * 31) }]]),
    'decoder',
    /^file\.bin: model\.decoder\.layers\.1\.fc1\.weight \(decoder\.layers\.1\.ffn.inner_proj\.weight\): expected \[64, 32\], found \[64, 31\]$/,
  );
  checkRefused(without(encoder, 'layer_norm.bias'), 'encoder', /^file\.bin: layer_norm\.bias: exp/);
});

test('what is no encoder, or no decoder, is told with some of its keys', () => {
  checkRefused(
    decoder,
    'encoder',
    /^file\.bin: expected the weights of an encoder \(names of fairseq2, fairseq, M2M100\), found decoder_frontend\.embed\.weight/,
  );
  checkRefused(port, 'encoder', /expected the weights of an encoder/);
  checkRefused(asM2m100(encoder, model), 'decoder', /expected the weights of a decoder/);
  checkRefused(new Map(), 'decoder', /found none$/);
});
