import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, test } from 'node:test';
import {
  CheckpointFormatError,
  CheckpointUnsupportedError,
} from '../../../../server/base/errors.ts';
import { filesOfCheckpoint } from '../../../../server/compiler/checkpoint/shardIndex.ts';
import { openStateDict } from '../../../../server/compiler/checkpoint/stateDict.ts';
import { openBytes } from '../../../support/memoryByteSource.ts';
import { checkRefused } from '../../../support/refused.ts';
import { storeTensor, writeSafetensors } from '../../../support/safetensorsWriter.ts';
import { torchCheckpoint, writtenTensor } from '../../../support/torchWriter.ts';

const folder = mkdtempSync(join(tmpdir(), 'thoughtline-'));
after(() => rmSync(folder, { recursive: true }));

const tensors = {
  'embed.weight': storeTensor('F32', [3, 2], [1, 2, 3, 4, 5, 6]),
  'layers.0.weight': storeTensor('F16', [2, 2], [1, 0, 0, 1]),
  'norm.weight': storeTensor('BF16', [2], [1, 2]),
};

const shards = {
  '1.safetensors': writeSafetensors({
    'embed.weight': tensors['embed.weight'],
    'norm.weight': tensors['norm.weight'],
  }),
  '2.bin': torchCheckpoint(
    [writtenTensor('layers.0.weight', 'float16', [2, 2], tensors['layers.0.weight'].bytes)],
    { nest: null },
  ),
};
for (const [name, bytes] of Object.entries(shards)) writeFileSync(join(folder, name), bytes);

const weightMap = {
  'embed.weight': '1.safetensors',
  'layers.0.weight': '2.bin',
  'norm.weight': '1.safetensors',
};

function writeIndex(index: unknown): string {
  const file = join(folder, 'model.safetensors.index.json');
  writeFileSync(file, typeof index === 'string' ? index : JSON.stringify(index));
  return file;
}

function checkFormat(index: unknown, expected: RegExp): void {
  const file = writeIndex(index);
  checkRefused(() => openStateDict(file), expected);
}

test('a checkpoint in several files equals the one in a single file', () => {
  const found = openStateDict(
    writeIndex({
      metadata: { total_size: 36, total_parameters: { a: [1] } },
      weight_map: weightMap,
    }),
  );
  const expected = openBytes(writeSafetensors(tensors));
  assert.deepEqual([...found.names()].sort(), [...expected.names()].sort());
  for (const name of expected.names()) {
    assert.equal(found.type(name), expected.type(name));
    assert.deepEqual(found.shape(name), expected.shape(name));
    assert.deepEqual(found.read(name), expected.read(name));
  }
  found.dispose();
});

test('the files of a checkpoint are itself, or the index and all it names, each once', () => {
  const index = writeIndex({ weight_map: weightMap });
  const names = filesOfCheckpoint(index).map((file) => basename(file));
  assert.deepEqual(names, [basename(index), '1.safetensors', '2.bin']);
  for (const name of Object.keys(shards)) {
    assert.deepEqual(filesOfCheckpoint(join(folder, name)), [join(folder, name)]);
  }
  assert.throws(() => filesOfCheckpoint(join(folder, 'absent')), CheckpointFormatError);
});

test('an index and its files have to agree', () => {
  const { 'norm.weight': _, ...withoutNorm } = weightMap;
  checkFormat(
    { weight_map: withoutNorm },
    /norm\.weight: expected this file in the index, found null/,
  );
  checkFormat(
    { weight_map: { ...weightMap, 'norm.weight': '2.bin' } },
    /norm\.weight: expected this file in the index, found "2\.bin"/,
  );
  checkFormat(
    { weight_map: { ...weightMap, 'norm.bias': '2.bin' } },
    /norm\.bias: expected a tensor in 2\.bin, found none/,
  );
  checkFormat(
    { weight_map: { ...weightMap, a: 'absent.bin' } },
    /absent\.bin: expected a readable/,
  );
});

test('an index names only files beside it', () => {
  const elsewhere = [
    '../1.safetensors',
    '/1.safetensors',
    'a\\b',
    'C:b',
    '..',
    '.',
    '',
    'a\0',
    1,
    null,
  ];
  for (const name of elsewhere) {
    checkFormat({ weight_map: { a: name } }, /a: expected the name of a file beside/);
  }
});

test('an index that is no table of files is refused', () => {
  checkFormat('{', /expected an index in JSON/);
  checkFormat('{"weight_map":', /expected an index in JSON/);
  checkFormat('{"weight_map":{"a":"b","a":"c"}}', /expected an index in JSON/);
  checkFormat('{}', /expected a weight_map, found nothing/);
  checkFormat('{"weight_map":[]}', /expected a weight_map/);
  checkFormat('{"weight_map":{}}', /expected 1 to 200 files, found 0/);
  checkFormat(`{"metadata":${'['.repeat(9)}`, /expected an index in JSON/);
  const many = Array.from({ length: 201 }, (_, index) => [`${index}`, `${index}.bin`]);
  checkFormat({ weight_map: Object.fromEntries(many) }, /expected 1 to 200 files, found 201/);
  checkFormat({ weight_map: { a: 'model.safetensors.index.json' } }, /index\.json/);
});

test('an index cut at any byte is malformed and nothing worse', () => {
  const whole = JSON.stringify({ weight_map: weightMap });
  for (let length = 0; length < whole.length; length += 1) {
    assert.throws(
      () => openStateDict(writeIndex(whole.slice(0, length))),
      CheckpointFormatError,
      `${length} bytes`,
    );
  }
});

test('an index with any byte changed is read or refused with an error of ours', () => {
  const whole = JSON.stringify({ weight_map: weightMap });
  for (let i = 0; i < whole.length; i += 1) {
    for (const letter of ['"', '}', '/']) {
      try {
        openStateDict(writeIndex(whole.slice(0, i) + letter + whole.slice(i + 1))).dispose();
      } catch (error) {
        const isOurs =
          error instanceof CheckpointFormatError || error instanceof CheckpointUnsupportedError;
        assert.ok(isOurs, `letter ${i} as ${letter}: ${error}`);
      }
    }
  }
});
