import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { checkRequest, sourceDigest } from '../../../server/compiler/compileRequest.ts';
import { storeTensor, writeSafetensors } from '../../support/safetensorsWriter.ts';

const folder = mkdtempSync(join(tmpdir(), 'thoughtline-'));
after(() => rmSync(folder, { recursive: true }));

function write(name: string, content: Uint8Array | string): string {
  const file = join(folder, name);
  writeFileSync(file, content);
  return file;
}

function shard(value: number): Uint8Array {
  return writeSafetensors({ a: storeTensor('F32', [1], [value]) });
}

test('the digest changes with the languages of the vocabulary', async () => {
  const file = write('same.safetensors', shard(1));
  const sources = { encoder: file, decoder: file, tokenizer: file, lcms: {} };
  const digests = new Set<string>();
  for (const vocabularyLangs of [undefined, ['eng_Latn'], ['eng_Latn', 'fra_Latn']]) {
    digests.add(await sourceDigest({ ...sources, vocabularyLangs }));
  }
  assert.equal(digests.size, 3);
});

test('the digest changes with any file of a checkpoint in several', async () => {
  write('1.safetensors', shard(1));
  const encoder = write('index.json', '{"weight_map":{"a":"1.safetensors"}}');
  const sources = { encoder, decoder: encoder, tokenizer: encoder, lcms: {} };
  const digest = await sourceDigest(sources);
  assert.equal(await sourceDigest(sources), digest);
  write('1.safetensors', shard(2));
  assert.notEqual(await sourceDigest(sources), digest);
});

test('a concept model has a name that can be chosen and be part of a file name', () => {
  const check = (name: string) => () => checkRequest({ lcms: { [name]: 'a.safetensors' } });
  check('two-tower')();
  for (const name of [
    '',
    'Base',
    '../base',
    'x'.repeat(41),
    'encoder',
    'decoder',
    'entropy',
    'directions',
    'auto',
  ]) {
    assert.throws(
      check(name),
      { code: 'invalidRequest', message: /^lcm .*: expected a name/ },
      name,
    );
  }
});

test('the digest changes with the order of the concept models', async () => {
  const file = write('one.safetensors', shard(1));
  const digestOf = (...names: string[]) =>
    sourceDigest({ lcms: Object.fromEntries(names.map((name) => [name, file])) });
  assert.notEqual(await digestOf('a', 'b'), await digestOf('b', 'a'));
});

test('an entropy model and directions belong to a model, and the digest changes with them', async () => {
  const file = write('bytes.safetensors', shard(1));
  const sources = { encoder: file, decoder: file, tokenizer: file, lcms: {} };
  const digests = new Set([
    await sourceDigest(sources),
    await sourceDigest({ ...sources, entropy: file }),
    await sourceDigest({ ...sources, directions: file }),
  ]);
  assert.equal(digests.size, 3);
  for (const part of ['entropy', 'directions']) {
    assert.throws(() => checkRequest({ lcms: { base: file }, [part]: file }), {
      code: 'invalidRequest',
      message: `${part}: expected an encoder and a decoder beside it, found none`,
    });
  }
});
