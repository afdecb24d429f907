import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { InvalidRequestError } from '../../../server/base/errors.ts';
import {
  checkReplaceable,
  OutputFolder,
  openFinished,
} from '../../../server/compiler/outputFolder.ts';
import { manifestFiles } from '../../../server/model/parseManifest.ts';
import { tinyManifest, writeTinyModelFolder } from '../../support/tinyManifest.ts';

const root = mkdtempSync(join(tmpdir(), 'thoughtline-output-'));
const place = join(root, 'below', 'model');
after(() => rmSync(root, { recursive: true }));
beforeEach(() => rmSync(join(root, 'below'), { recursive: true, force: true }));

/** Writes the files of the tiny manifest, which hold their own names. */
async function writeFiles(output: OutputFolder): Promise<void> {
  for (const entry of manifestFiles(tinyManifest)) {
    const letters = [...entry.file].map((letter) => Buffer.from(letter));
    assert.deepEqual(await output.write(entry.file, letters, () => {}, undefined), entry);
  }
}

test('a folder appears with its manifest, and nothing before', async () => {
  const output = new OutputFolder(place);
  await writeFiles(output);
  assert.equal(openFinished(place, tinyManifest.sourceDigest), null);
  await output.commit(tinyManifest);
  assert.deepEqual(openFinished(place, tinyManifest.sourceDigest), tinyManifest);
  assert.equal(openFinished(place, 'another digest'), null);
  assert.deepEqual(readdirSync(join(root, 'below')), ['model']);
});

test('a discarded folder leaves nothing', async () => {
  const output = new OutputFolder(place);
  await writeFiles(output);
  output.discard();
  assert.deepEqual(readdirSync(join(root, 'below')), []);
});

test('the first of two equal models stays', async () => {
  const first = new OutputFolder(place);
  const second = new OutputFolder(place);
  await writeFiles(first);
  await first.commit({ ...tinyManifest, name: 'first' });
  await second.commit({ ...tinyManifest, name: 'second' });
  assert.equal(openFinished(place, tinyManifest.sourceDigest)?.name, 'first');
  assert.deepEqual(readdirSync(join(root, 'below')), ['model']);
});

test('a model of other sources is replaced, and what came in between is not lost', async () => {
  writeTinyModelFolder(place, { sourceDigest: 'f'.repeat(64) });
  const output = new OutputFolder(place);
  await writeFiles(output);
  await output.commit(tinyManifest);
  assert.deepEqual(openFinished(place, tinyManifest.sourceDigest), tinyManifest);

  const late = new OutputFolder(place);
  rmSync(join(place, 'manifest.json'));
  await assert.rejects(late.commit(tinyManifest), InvalidRequestError);
  assert.equal(readFileSync(join(place, 'encoder.onnx'), 'utf8'), 'encoder.onnx');
  late.discard();
});

test('only folders that are absent, empty or models may be replaced', () => {
  checkReplaceable(place);
  writeTinyModelFolder(place);
  checkReplaceable(place);
  assert.throws(() => checkReplaceable(join(place, 'manifest.json')), InvalidRequestError);
  assert.throws(() => checkReplaceable(join(root)), InvalidRequestError);
});
