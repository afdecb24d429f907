import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import {
  IntegrityError,
  InvalidRequestError,
  isAbortError,
  ModelMissingError,
} from '../../../server/base/errors.ts';
import { nullLogger } from '../../../server/base/logger.ts';
import type { PrepareOptions } from '../../../server/store/modelCompiler.ts';
import { ModelStore } from '../../../server/store/modelStore.ts';
import { FakeClock } from '../../support/fakeClock.ts';
import { FakeCompiler } from '../../support/fakeCompiler.ts';
import {
  tinyManifest,
  writeTinyAddOnFolder,
  writeTinyModelFolder,
} from '../../support/tinyManifest.ts';

const root = mkdtempSync(join(tmpdir(), 'thoughtline-store-'));
const checkpointFolder = join(root, 'checkpoints');
const prebuiltFolder = join(root, 'prebuilt');
const storageFolder = join(root, 'storage');
const config = '{"lcm":{"two-tower":{},"base":{}}}';
const digest = 'd'.repeat(64);
const otherDigest = 'e'.repeat(64);
after(() => rmSync(root, { recursive: true }));

let compiler = new FakeCompiler(digest);
let store: ModelStore;
beforeEach(() => {
  for (const folder of [checkpointFolder, prebuiltFolder, storageFolder]) {
    rmSync(folder, { recursive: true, force: true });
  }
  mkdirSync(checkpointFolder);
  for (const file of [
    'encoder.safetensors',
    'decoder.safetensors',
    'two-tower.safetensors',
    'base.safetensors',
    'notes.safetensors',
    'tokenizer.model',
    'README.md',
  ]) {
    writeFileSync(join(checkpointFolder, file), file);
  }
  writeFileSync(join(checkpointFolder, 'config.json'), config);
  compiler = new FakeCompiler(digest);
  store = new ModelStore({
    builtInName: 'mine',
    checkpointFolder,
    prebuiltFolder,
    storageFolder,
    compiler,
    catalogue: [],
    clock: new FakeClock(),
    freeBytes: async () => Number.MAX_SAFE_INTEGER,
    logger: nullLogger,
  });
});

/** Returns the folder of the built-in model, prepared. */
async function prepareBuiltIn(options: PrepareOptions = {}): Promise<string> {
  return (await store.prepare('', options)).folder;
}

const shipped = { encoder: 'int8', decoder: 'int8', conceptModels: 'int4' };

test('the built-in model is compiled once, with the concept models of its configuration in order', async () => {
  const fractions: number[] = [];
  const folder = await prepareBuiltIn({ onProgress: (fraction) => fractions.push(fraction) });
  assert.equal(folder, join(storageFolder, `mine-${digest.slice(0, 12)}`));
  assert.deepEqual(fractions, [1]);
  for (const name of ['', 'mine']) assert.equal((await store.prepare(name)).folder, folder);
  assert.equal(compiler.compiled.length, 1);
  const [{ lcms, precision } = { lcms: {}, precision: null }] = compiler.compiled;
  assert.deepEqual(Object.keys(lcms), ['two-tower', 'base']);
  assert.deepEqual(precision, shipped);
});

test('the built-in model is compiled in a precision that the device runs', async () => {
  for (const [device, expected] of [
    ['auto', shipped],
    ['cpu', shipped],
    ['directml', 'int8'],
    ['webgpu', 'fp32'],
    ['cuda', 'fp32'],
  ] as const) {
    rmSync(storageFolder, { recursive: true, force: true });
    await prepareBuiltIn({ device });
    assert.deepEqual(compiler.compiled.at(-1)?.precision, expected, device);
  }
});

test('a copy that was compiled with the product wins when its digest matches', async () => {
  writeTinyModelFolder(prebuiltFolder, { sourceDigest: digest });
  assert.equal(await prepareBuiltIn(), prebuiltFolder);
  writeTinyModelFolder(prebuiltFolder, { sourceDigest: otherDigest });
  assert.notEqual(await prepareBuiltIn(), prebuiltFolder);
  rmSync(checkpointFolder, { recursive: true });
  assert.equal(await prepareBuiltIn(), prebuiltFolder, 'without checkpoints to compare with');
});

test('a damaged copy is made again, wherever it is', async () => {
  const folder = await prepareBuiltIn();
  const damages: readonly (() => void)[] = [
    () => writeFileSync(join(folder, 'manifest.json'), '{'),
    () => writeFileSync(join(folder, 'encoder.bin'), ''),
    () => rmSync(join(folder, 'manifest.json')),
    () => rmSync(join(folder, 'tokenizer.model')),
    () => writeTinyModelFolder(folder, { sourceDigest: otherDigest }),
  ];
  for (const damage of damages) {
    damage();
    assert.equal(await prepareBuiltIn(), folder);
    await store.verify('');
  }
  assert.equal(compiler.compiled.length, 1 + damages.length);
  writeTinyModelFolder(prebuiltFolder, { sourceDigest: digest });
  writeFileSync(join(prebuiltFolder, 'encoder.bin'), '');
  assert.equal(await prepareBuiltIn(), folder);
});

test('a missing checkpoint is told by its name', async () => {
  for (const file of [
    'encoder.safetensors',
    'decoder.safetensors',
    'tokenizer.model',
    'two-tower.safetensors',
    'config.json',
  ]) {
    const path = join(checkpointFolder, file);
    const content = readFileSync(path);
    rmSync(path);
    await assert.rejects(
      prepareBuiltIn(),
      (error) => error instanceof ModelMissingError && error.message.includes(file),
    );
    writeFileSync(path, content);
  }
});

test('a cancelled preparation rejects and leaves no model', async () => {
  await assert.rejects(prepareBuiltIn({ signal: AbortSignal.abort() }), isAbortError);
  assert.deepEqual(readdirSync(storageFolder), []);
});

test('a model is found by its name or its folder', async () => {
  const folder = join(storageFolder, 'large');
  writeTinyModelFolder(folder);
  assert.equal((await store.prepare('large')).folder, folder);
  const elsewhere = join(root, 'elsewhere');
  writeTinyModelFolder(elsewhere);
  assert.equal((await store.prepare(elsewhere)).folder, elsewhere);
  for (const name of ['absent', join(root, 'absent'), checkpointFolder, '../checkpoints']) {
    await assert.rejects(store.prepare(name), ModelMissingError, name);
  }
  writeFileSync(join(folder, 'encoder.bin'), '');
  await assert.rejects(store.prepare('large'), IntegrityError);
});

test('the list shows what is there and in which state', async () => {
  const shown = async () =>
    (await store.list()).map(({ name, folder, isBuiltIn, state }) => {
      assert.ok(existsSync(folder));
      return [name, basename(folder), isBuiltIn, state];
    });
  assert.deepEqual(await shown(), [['mine', 'checkpoints', true, 'unprepared']]);
  const builtIn = basename(await prepareBuiltIn());
  writeTinyModelFolder(join(storageFolder, 'large'));
  writeTinyModelFolder(join(storageFolder, 'broken'));
  rmSync(join(storageFolder, 'broken', 'encoder.bin'));
  mkdirSync(join(storageFolder, 'notes'));
  mkdirSync(join(storageFolder, '.large.partial-1-a'));
  writeFileSync(join(storageFolder, 'file'), '');
  assert.deepEqual(await shown(), [
    ['mine', builtIn, true, 'ready'],
    ['broken', 'broken', false, 'damaged'],
    ['large', 'large', false, 'ready'],
  ]);
  const [, , large] = await store.list();
  assert.deepEqual(large?.conceptModels, ['base', 'two-tower', 'one-tower', 'quant', 'sonar-llm']);
  assert.ok((large?.sizeBytes ?? 0) > 0);
});

test('verify compares every byte', async () => {
  const folder = join(storageFolder, 'large');
  writeTinyModelFolder(folder);
  await store.verify('large');
  const { file, sizeBytes } = tinyManifest.encoder.graph.weights;
  writeFileSync(join(folder, file), '?'.repeat(sizeBytes));
  await store.prepare('large');
  await assert.rejects(
    store.verify('large'),
    (error) => error instanceof IntegrityError && error.message.includes('encoder.bin'),
  );
  await assert.rejects(store.verify('large', AbortSignal.abort()), isAbortError);
});

test('a model runs with the intact add-ons of its space', async () => {
  const at = (name: string) => join(storageFolder, name);
  writeTinyModelFolder(at('large'));
  writeTinyAddOnFolder(at('fits'), 'third');
  writeTinyAddOnFolder(at('other-space'), 'fourth', { space: 'elsewhere' });
  writeTinyAddOnFolder(at('other-size'), 'fifth', { embeddingDim: 16 });
  writeTinyAddOnFolder(at('same-name'), 'base');
  writeTinyAddOnFolder(at('twin'), 'third');
  writeTinyAddOnFolder(at('broken'), 'sixth');
  rmSync(join(at('broken'), 'base.lcm.bin'));
  assert.deepEqual(await store.prepare('large'), { folder: at('large'), addOns: [at('fits')] });
});

test('an installed model is removed whole; nothing else is', async () => {
  writeTinyModelFolder(join(storageFolder, 'large'));
  await store.remove('large');
  assert.deepEqual(readdirSync(storageFolder), []);
  const builtIn = basename(await prepareBuiltIn());
  mkdirSync(join(storageFolder, '.downloads'));
  for (const name of ['mine', builtIn]) {
    await assert.rejects(store.remove(name), InvalidRequestError, name);
  }
  for (const name of ['large', '', '.', '..', '../checkpoints', '.downloads', checkpointFolder]) {
    await assert.rejects(store.remove(name), ModelMissingError, name);
  }
  assert.ok(existsSync(checkpointFolder) && existsSync(join(storageFolder, builtIn)));
});
