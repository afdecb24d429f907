import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  CheckpointFormatError,
  CheckpointUnsupportedError,
  InvalidRequestError,
  WeightMismatchError,
} from '../../../server/base/errors.ts';
import { compileModel } from '../../../server/compiler/compile.ts';
import { sourceDigest } from '../../../server/compiler/compileRequest.ts';
import { type Changes, compileFolders } from '../../support/compileFolders.ts';
import { tinyConfig, tinyShapes } from '../../support/tinySources.ts';

const { sources, request, written } = compileFolders();

/** Compiles changed sources and checks the error and that nothing is left. */
async function checkRefused(
  changes: Changes,
  errorClass: new (message: string) => Error,
  message: RegExp,
): Promise<void> {
  await assert.rejects(compileModel(request(changes)), (error) => {
    assert.ok(error instanceof errorClass, String(error));
    assert.match(error.message, message);
    return true;
  });
  assert.deepEqual(written(), []);
}

test('weights that do not fit the configuration are named', async () => {
  const { 'layer_norm.bias': _, ...missing } = tinyShapes.encoder;
  const key = 'encoder.layers.1.ffn.inner_proj.weight';
  const cases: readonly [Changes, RegExp][] = [
    [{ shapes: { encoder: missing } }, /layer_norm\.bias/],
    [{ shapes: { encoder: { ...tinyShapes.encoder, extra: [1] } } }, /encoder.safetensors.*extra/],
    [{ shapes: { base: { ...tinyShapes.base, extra: [1] } } }, /base.safetensors.*extra/],
    [
      { shapes: { encoder: { ...tinyShapes.encoder, [key]: [64, 31] } } },
      /ffn\.inner_proj\.weight: expected \[64, 32\], found \[64, 31\]/,
    ],
    [
      { shapes: { decoder: { ...tinyShapes.decoder, 'decoder_frontend.embed.weight': [41, 32] } } },
      /decoder_frontend\.embed\.weight: expected \[40, 32\], found \[41, 32\]/,
    ],
  ];
  for (const [changes, message] of cases) {
    await checkRefused(changes, WeightMismatchError, message);
  }
});

test('parts that do not belong together are told with both numbers', async () => {
  const { encoder, decoder, lcm } = tinyConfig;
  const cases: readonly [object, RegExp][] = [
    [{ tokenizer: { langs: ['eng_Latn'] } }, /encoder\.vocab_info\.size: expected 39 .*found 40/],
    [{ tokenizer: {} }, /expected 240 \(34 pieces of .*202 languages.*found 40/],
    [{ decoder: { ...decoder, input_dim: 16 } }, /decoder\.input_dim: expected 32 .*found 16/],
    [
      { lcm: { ...lcm, base: { ...lcm.base, sonar_embed_dim: 16 } } },
      /lcm\.base\.sonar_embed_dim: expected 32 .*found 16/,
    ],
    [
      { encoder: { ...encoder, vocab_info: { ...encoder.vocab_info, size: 41 } } },
      /encoder\.vocab_info\.size: expected 40 .*found 41/,
    ],
  ];
  for (const [changes, message] of cases) {
    await checkRefused({ config: { ...tinyConfig, ...changes } }, WeightMismatchError, message);
  }
});

test('a concept model without hyper-parameters, or of no known family, is told', async () => {
  await checkRefused(
    { config: { ...tinyConfig, lcm: {} } },
    CheckpointUnsupportedError,
    /base\.safetensors: expected the sizes of an architecture we know .* found model_type base_lcm, .*--config/,
  );
  await checkRefused(
    { shapes: { base: { 'flow.weight': [1] } } },
    CheckpointUnsupportedError,
    /lcm\.base: expected weights of a family we know/,
  );
});

test('names that cannot be part of a file name are refused', async () => {
  for (const name of ['', '../base', 'Base', 'a b', 'a.b', 'x'.repeat(41)]) {
    const { lcms, ...rest } = request();
    const named = { [name]: lcms['base'] ?? '' };
    await assert.rejects(compileModel({ ...rest, lcms: named }), InvalidRequestError, name);
  }
});

test('options for parts that are not there are refused', async () => {
  const whole = request();
  for (const [changed, message] of [
    [{ archs: { bass: 'base_lcm_1_6B' } }, /^arch of bass: expected one of encoder, .*base/],
    [{ lcmConfigs: { encoder: whole.config } }, /^configuration of encoder: expected one of base/],
    [{ lcms: { encoder: whole.encoder } }, /^lcm encoder: expected a name/],
  ] as const) {
    await assert.rejects(
      compileModel({ ...whole, ...changed }),
      (error) => error instanceof InvalidRequestError && message.test(error.message),
    );
  }
});

test('a concept model may have a configuration of its own, which the digest knows', async () => {
  const { lcm, ...config } = tinyConfig;
  const whole = request();
  const apart = request({ config });
  const lcmConfigs = Object.fromEntries(
    Object.entries(lcm).map(([name, fields]) => {
      const file = join(sources, `${name}.json`);
      writeFileSync(file, JSON.stringify(fields));
      return [name, file];
    }),
  );
  const compiled = await compileModel({ ...apart, lcmConfigs });
  assert.deepEqual(compiled.conceptModels, (await compileModel(request())).conceptModels);
  const digest = await sourceDigest({ ...whole, lcmConfigs });
  writeFileSync(join(sources, 'base.json'), JSON.stringify({ ...lcm.base, max_seq_len: 32 }));
  assert.notEqual(await sourceDigest({ ...whole, lcmConfigs }), digest);
});

test('every option makes another digest, and an undefined one none', async () => {
  const whole = request();
  const digests = await Promise.all(
    [
      {},
      { precision: 'fp32' as const },
      { precision: { decoder: 'fp32' as const } },
      { archs: { encoder: 'basic' } },
      { name: 'mine' },
      { space: 'ours' },
    ].map((options) => sourceDigest({ ...whole, ...options })),
  );
  assert.equal(new Set(digests).size, digests.length);
  const undefinedOptions = { precision: undefined, archs: undefined, name: undefined };
  assert.equal(await sourceDigest({ ...whole, ...undefinedOptions }), digests[0]);
});

test('missing and broken files are told by name', async () => {
  const whole = request();
  for (const part of ['encoder', 'tokenizer', 'config'] as const) {
    const broken = join(sources, 'broken');
    for (const content of [null, '', '\u0000\u0001', '[]']) {
      rmSync(broken, { force: true });
      if (content !== null) writeFileSync(broken, content);
      await assert.rejects(
        compileModel({ ...whole, [part]: broken }),
        (error) => error instanceof CheckpointFormatError && error.message.includes('broken'),
        `${part} ${content}`,
      );
      assert.deepEqual(written(), []);
    }
  }
});

test('a number that is not finite is told by the name of its tensor', async () => {
  const whole = request();
  const bytes = readFileSync(whole.encoder);
  bytes.writeFloatLE(Number.NaN, bytes.length - 4);
  writeFileSync(whole.encoder, bytes);
  await assert.rejects(
    compileModel(whole),
    (error) => error instanceof WeightMismatchError && /layer_norm\.bias.*NaN/.test(error.message),
  );
  assert.deepEqual(written(), []);
});
