import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { sourceDigest } from '../../../server/compiler/compileRequest.ts';
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
