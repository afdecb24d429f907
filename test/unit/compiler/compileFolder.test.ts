import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { InvalidRequestError, isAbortError } from '../../../server/base/errors.ts';
import { compileModel } from '../../../server/compiler/compile.ts';
import { parseManifest } from '../../../server/model/parseManifest.ts';
import { compileFolders, compileWhole } from '../../support/compileFolders.ts';

const { target, request, written } = compileFolders();

test('compiling again changes nothing, and compiling other sources replaces', async () => {
  const first = request();
  const manifest = await compileModel(first);
  const path = join(first.outDir, 'manifest.json');
  const { ino } = statSync(path);
  assert.deepEqual(await compileModel(first), manifest);
  assert.equal(statSync(path).ino, ino);

  const other = await compileWhole({ ...first, precision: 'fp32' });
  assert.equal(other.encoder.precision, 'fp32');
  assert.deepEqual(parseManifest(readFileSync(path, 'utf8'), path), other);
  assert.deepEqual(readdirSync(target), ['model']);
});

test('a damaged folder is compiled again', async () => {
  const damages: readonly ((folder: string) => void)[] = [
    (folder) => writeFileSync(join(folder, 'encoder.bin'), 'short'),
    (folder) => rmSync(join(folder, 'decoder.step.onnx')),
    (folder) => writeFileSync(join(folder, 'manifest.json'), '{"version":'),
  ];
  const first = request();
  const manifest = await compileWhole(first);
  for (const damage of damages) {
    damage(first.outDir);
    assert.deepEqual(await compileModel(first), manifest);
    assert.equal(
      statSync(join(first.outDir, 'encoder.bin')).size,
      manifest.encoder.graph.weights.sizeBytes,
    );
  }
});

test('an empty folder is filled; anything else that is not a model stays', async () => {
  const fine = request();
  mkdirSync(fine.outDir);
  await compileModel(fine);

  for (const files of [
    ['notes.txt'],
    ['manifest.json'],
    ['tokenizer.model'],
    ['manifest.json', 'tokenizer.model', 'thesis.tex'],
  ]) {
    const outDir = join(target, 'mine');
    mkdirSync(outDir);
    for (const file of files) writeFileSync(join(outDir, file), 'mine');
    await assert.rejects(compileModel({ ...fine, outDir }), InvalidRequestError);
    assert.deepEqual(readdirSync(outDir).sort(), files.sort());
    rmSync(outDir, { recursive: true });
  }
  const outDir = join(target, 'file');
  writeFileSync(outDir, 'mine');
  await assert.rejects(compileModel({ ...fine, outDir }), InvalidRequestError);
  assert.equal(readFileSync(outDir, 'utf8'), 'mine');
});

test('a compilation that is cancelled at any moment leaves nothing', async () => {
  const whole = request();
  let reports = 0;
  await compileModel(whole, { onProgress: () => reports++ });
  rmSync(whole.outDir, { recursive: true });
  for (let at = 0; at <= reports; at += Math.ceil(reports / 7)) {
    const abort = new AbortController();
    let seen = 0;
    const onProgress = () => {
      seen += 1;
      if (seen > at) abort.abort();
    };
    if (at === 0) abort.abort();
    await assert.rejects(compileModel(whole, { onProgress, signal: abort.signal }), isAbortError);
    assert.deepEqual(written(), []);
  }
});

test('what a process that is gone has left is removed; what a living one writes stays', async () => {
  const gone = join(target, '.model.partial-4194305-aaaaaaaa'); // above the largest process id
  const alive = join(target, `.model.partial-${process.pid}-bbbbbbbb`);
  mkdirSync(gone);
  mkdirSync(alive);
  await compileModel(request());
  assert.ok(!existsSync(gone));
  assert.ok(existsSync(alive));
});

test('two compilations into one folder at once both succeed', async () => {
  const same = request();
  const [first, second] = await Promise.all([compileModel(same), compileModel(same)]);
  assert.deepEqual(first, second);
  assert.deepEqual(readdirSync(target), ['model']);
});
