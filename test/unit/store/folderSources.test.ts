import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, test } from 'node:test';
import { findSources } from '../../../server/store/folderSources.ts';

const root = mkdtempSync(join(tmpdir(), 'thoughtline-folder-'));
after(() => rmSync(root, { recursive: true, force: true }));

/** Holds which files of a folder are taken for the parts, and under which names concept models. */
async function checkFound(
  folderName: string,
  files: readonly string[],
  expected: { encoder?: string; decoder?: string; lcms: Readonly<Record<string, string>> },
): Promise<void> {
  const folder = join(root, folderName);
  mkdirSync(folder);
  for (const file of files) writeFileSync(join(folder, file), '');
  const { encoder, decoder, lcms } = (await findSources(folder)).sources;
  const names = Object.entries(lcms).map(([name, file]) => [name, basename(file)]);
  assert.deepEqual(Object.fromEntries(names), expected.lcms);
  assert.equal(encoder && basename(encoder), expected.encoder);
  assert.equal(decoder && basename(decoder), expected.decoder);
}

const tokenizer = 'sentencepiece.source.256000.model';

for (const [ending, shard] of [
  ['pt', null],
  ['bin', null],
  ['safetensors', null],
  ['bin.index.json', '-00001-of-00002.bin'],
  ['safetensors.index.json', '-00001-of-00002.safetensors'],
] as const) {
  test(`the parts of a model are found with the ending ${ending}`, () => {
    const parts = ['encoder', 'decoder'] as const;
    const shards = shard === null ? [] : parts.map((part) => `${part}${shard}`);
    const [encoder, decoder] = parts.map((part) => `${part}.${ending}`) as [string, string];
    const files = [encoder, decoder, ...shards, tokenizer, `mimir.${ending}`];
    return checkFound(`parts ${ending}`, files, {
      encoder,
      decoder,
      lcms: { mimir: `mimir.${ending}` },
    });
  });

  test(`a checkpoint that bears no name takes its folder's, with the ending ${ending}`, () => {
    const file = `pytorch_model.${ending}`;
    const shards = shard === null ? [] : [`pytorch_model${shard}`];
    const name = `sonar-llm-${ending.replaceAll('.', '-')}`;
    return checkFound(name, [file, ...shards], { lcms: { [name]: file } });
  });
}

test('a configuration says which concept models come first, what else there is', async () => {
  const folder = join(root, 'configured');
  mkdirSync(folder);
  const checkpoints = ['encoder', 'decoder', 'entropy', 'directions', 'a', 'b', 'c'];
  for (const name of checkpoints) writeFileSync(join(folder, `${name}.safetensors`), '');
  writeFileSync(join(folder, 'tokenizer.model'), '');
  const found = async (config: object) => {
    writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
    const { lcms, entropy, directions } = (await findSources(folder)).sources;
    return [Object.keys(lcms), entropy && basename(entropy), directions && basename(directions)];
  };
  const lcm = { c: {}, absent: {}, a: {} };
  assert.deepEqual(await found({ lcm, entropy: {}, directions: [] }), [
    ['c', 'a', 'b'],
    'entropy.safetensors',
    'directions.safetensors',
  ]);
  assert.deepEqual(await found({ lcm: 'none' }), [['a', 'b', 'c'], undefined, undefined]);
});
