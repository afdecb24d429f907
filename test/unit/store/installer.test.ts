import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import {
  ConceptError,
  DownloadError,
  IntegrityError,
  InvalidRequestError,
  isAbortError,
  ModelMissingError,
} from '../../../server/base/errors.ts';
import { nullLogger } from '../../../server/base/logger.ts';
import {
  type CatalogueEntry,
  type CatalogueFile,
  type FileRole,
  sonarLicence,
} from '../../../server/store/catalogue.ts';
import { beatMs } from '../../../server/store/fileLock.ts';
import type { InstallOptions } from '../../../server/store/installer.ts';
import type { PrepareOptions } from '../../../server/store/modelCompiler.ts';
import { ModelStore } from '../../../server/store/modelStore.ts';
import { BrokenServer, status, wrongBytes } from '../../support/brokenServer.ts';
import { FakeClock } from '../../support/fakeClock.ts';
import { FakeCompiler } from '../../support/fakeCompiler.ts';
import { writeTinyAddOnFolder, writeTinyModelFolder } from '../../support/tinyManifest.ts';

const root = mkdtempSync(join(tmpdir(), 'thoughtline-install-'));
const storageFolder = join(root, 'storage');

let server: BrokenServer;
let clock: FakeClock;
let compiler: FakeCompiler;
let store: ModelStore;
let freeBytes: number;

before(async () => {
  server = await BrokenServer.start();
});
after(async () => {
  await server.stop();
  rmSync(root, { recursive: true });
});
beforeEach(() => {
  rmSync(storageFolder, { recursive: true, force: true });
  server.reset();
  for (const name of ['encoder', 'decoder', 'tokenizer', 'concepts']) {
    server.offer(`/files/${name}`, content(name));
  }
  server.offer('/files/settings', Buffer.from('{"llama_config":{"hidden_size":8}}'));
  clock = new FakeClock();
  compiler = new FakeCompiler('d'.repeat(64));
  freeBytes = 1e6;
  store = openStore();
});

function openStore(): ModelStore {
  return new ModelStore({
    builtInName: 'mine',
    checkpointFolder: join(root, 'none'),
    prebuiltFolder: join(root, 'none'),
    storageFolder,
    compiler,
    catalogue,
    clock,
    freeBytes: async () => freeBytes,
    logger: nullLogger,
  });
}

const content = (name: string) => Buffer.from(`weights of the ${name} `.repeat(50));

function file(role: FileRole, name: string, isKnown = true): CatalogueFile {
  const bytes = content(name).length;
  const sha256 = createHash('sha256').update(content(name)).digest('hex');
  return {
    role,
    name: `${name}.pt`,
    url: `https://files.invalid/files/${name}`,
    length: { state: isKnown ? 'known' : 'estimated', bytes },
    digest: isKnown ? { state: 'known', sha256 } : { state: 'unknown' },
  };
}

const facts = {
  space: 'sonar',
  summary: 'for tests',
  languages: 'none',
  licence: sonarLicence,
  weightsLicence: null,
  parameters: 1000,
};

const catalogue: readonly CatalogueEntry[] = [
  {
    ...facts,
    id: 'large',
    title: 'Large',
    kind: 'model',
    files: [
      file('encoder', 'encoder'),
      file('decoder', 'decoder', false),
      file('tokenizer', 'tokenizer'),
    ],
    archs: { encoder: 'basic', decoder: 'basic' },
  },
  {
    ...facts,
    id: 'addition',
    title: 'Addition',
    kind: 'conceptModels',
    files: [file('conceptModel', 'concepts', false), file('conceptModelConfig', 'settings', false)],
    archs: { conceptModel: 'two_tower' },
  },
];

function install(
  id: string,
  options: Partial<InstallOptions> = {},
  prepare: PrepareOptions = {},
): Promise<string> {
  return store.install(
    id,
    {
      acceptedLicence: 'CC-BY-NC-4.0',
      precision: null,
      mirror: server.address,
      proxy: { url: '', exceptions: [] },
      keepsCheckpoints: false,
      ...options,
    },
    prepare,
  );
}

const stored = () => readdirSync(storageFolder, { recursive: true, encoding: 'utf8' });
const installed = async () => (await store.list()).map(({ name }) => name);
const paths = () => server.requests.map(({ path }) => path.replace('/files/', ''));

test('a model is downloaded, compiled and listed, and its downloads are gone', async () => {
  const told: [number, string][] = [];
  const onProgress = (fraction: number, label: string) => told.push([fraction, label]);
  assert.equal(await install('large', {}, { onProgress }), 'large');
  const [model] = await store.list();
  assert.equal(model?.state, 'ready');
  assert.equal(model?.space, 'sonar');
  assert.equal(model?.precision, 'int8');
  assert.deepEqual(
    model?.origin?.files.map(({ checkedAgainst }) => checkedAgainst),
    ['pinned', 'none', 'pinned'],
  );
  assert.equal(model?.origin?.licence, 'CC-BY-NC-4.0');
  assert.deepEqual(readdirSync(join(storageFolder, '.downloads')), []);
  assert.deepEqual(
    told.map(([fraction]) => fraction),
    told.map(([fraction]) => fraction).toSorted((a, b) => a - b),
  );
  assert.equal(told.at(-1)?.[0], 1);
  assert.ok(told.some(([, label]) => label.startsWith('Large: encoder.pt, ')));
  const [sources] = compiler.compiled;
  assert.deepEqual(sources?.archs, { encoder: 'basic', decoder: 'basic' });
  assert.equal(sources?.space, 'sonar');
  assert.equal(sources?.precision, undefined);
});

test('what is installed is not fetched again, in another precision it is', async () => {
  await install('large');
  await install('large');
  assert.deepEqual(paths(), ['encoder', 'decoder', 'tokenizer']);
  assert.equal(await install('large', { precision: 'fp16', keepsCheckpoints: true }), 'large-fp16');
  assert.equal(compiler.compiled.at(-1)?.precision, 'fp16');
  await install('large', { precision: 'fp32' });
  assert.equal((await store.available())[0]?.isInstalled, true);
  assert.equal(server.requests.length, 6, 'kept checkpoints are used again');
  assert.deepEqual(await installed(), ['large', 'large-fp16', 'large-fp32']);
});

test('an addition brings a model of its space where there is none', async () => {
  assert.deepEqual(
    (await store.available()).map(({ alsoInstalls }) => alsoInstalls.map(({ id }) => id)),
    [[], ['large']],
  );
  await install('addition');
  assert.deepEqual(await installed(), ['addition', 'large']);
  assert.deepEqual(await store.prepare('large'), {
    folder: join(storageFolder, 'large'),
    addOns: [join(storageFolder, 'addition')],
  });
  await store.remove('addition');
  server.requests.length = 0;
  await install('addition');
  assert.deepEqual(paths(), ['concepts', 'settings']);
  const { lcms, lcmConfigs, archs } = compiler.compiled.at(-1) ?? { lcms: {} };
  assert.deepEqual(Object.keys(lcms), ['addition']);
  assert.deepEqual(archs, { addition: 'two_tower' });
  assert.match(lcmConfigs?.['addition'] ?? '', /settings\.pt$/);
});

test('nothing is asked of any host without the licence', async () => {
  for (const acceptedLicence of ['', 'MIT', 'cc-by-nc-4.0']) {
    await assert.rejects(
      install('addition', { acceptedLicence }),
      (error) =>
        error instanceof InvalidRequestError && /CC-BY-NC-4\.0 to be accepted/.test(error.message),
    );
  }
  assert.deepEqual(server.requests, []);
});

for (const [name, id, options, pattern] of [
  ['an unknown model', 'huge', {}, /expected one of large, addition, found huge/],
  ['a mirror that is no address', 'large', { mirror: 'my mirror' }, /mirror: expected an address/],
] as const) {
  test(`${name} is refused`, async () => {
    await assert.rejects(
      install(id, options),
      (error) => error instanceof InvalidRequestError && pattern.test(error.message),
    );
  });
}

test('an interrupted install goes on where it stopped', async () => {
  server.offer('/files/decoder', content('decoder'), [status(404)]);
  await assert.rejects(install('large'), DownloadError);
  assert.deepEqual(await installed(), []);
  const [large] = await store.available();
  assert.equal(large?.fetchedBytes, content('encoder').length);
  const cancelled = new AbortController();
  const onProgress = (_fraction: number, label: string) => {
    if (label.includes('compiling')) cancelled.abort();
  };
  await assert.rejects(
    install('large', {}, { onProgress, signal: cancelled.signal }),
    isAbortError,
  );
  assert.deepEqual(await installed(), []);
  await install('large');
  assert.deepEqual(paths(), ['encoder', 'decoder', 'decoder', 'tokenizer']);
  assert.deepEqual(await installed(), ['large']);
});

test('a compilation that fails leaves no model, and the downloads', async () => {
  const compile = compiler.compile;
  compiler.compile = () => Promise.reject(new IntegrityError('encoder: expected another shape'));
  await assert.rejects(install('large'), /another shape/);
  assert.deepEqual(await installed(), []);
  compiler.compile = compile;
  await install('large');
  assert.equal(server.requests.length, 3);
});

test('a damaged model is installed anew', async () => {
  await install('large');
  writeFileSync(join(storageFolder, 'large', 'encoder.bin'), '');
  await install('large');
  await store.verify('large');
});

test('wrong bytes end the install, and are not kept', async () => {
  server.offer('/files/encoder', content('encoder'), [wrongBytes]);
  await assert.rejects(install('large'), (error) => {
    return error instanceof DownloadError && error.code === 'downloadCorrupt';
  });
  assert.deepEqual(readdirSync(join(storageFolder, '.downloads')), []);
});

function bytesOf(...names: string[]): number {
  return names.reduce((total, name) => total + content(name).length, 0);
}

test('too little room is told with what is needed, before anything is asked for', async () => {
  freeBytes = 3000;
  await assert.rejects(install('large'), (error) => {
    assert.ok(error instanceof DownloadError);
    assert.equal(error.code, 'notEnoughSpace');
    assert.match(error.message, /expected 0\.0 MB of free space \(.* to download, .* to compile\)/);
    return true;
  });
  assert.deepEqual(server.requests, []);
  freeBytes = bytesOf('encoder', 'decoder', 'tokenizer') + 1000;
  await install('large');
});

test('what is fetched already needs no room', async () => {
  server.offer('/files/decoder', content('decoder'), [status(404)]);
  await assert.rejects(install('large'), DownloadError);
  freeBytes = bytesOf('decoder', 'tokenizer') + 1000;
  await install('large');
});

test('of two at once, the second finds the work done', async () => {
  const first = install('large');
  const waits = new Promise<void>((resolve) => {
    store = openStore();
    const onProgress = (_fraction: number, label: string) => {
      if (label.startsWith('waiting')) resolve();
    };
    void install('large', {}, { onProgress }).then(() => events.push('second'));
  });
  const events: string[] = [];
  void first.then(() => events.push('first'));
  await waits;
  while (events.length < 2) {
    await new Promise((resolve) => setImmediate(resolve));
    if (events.length > 0) clock.expire(beatMs);
  }
  assert.deepEqual(events, ['first', 'second']);
  assert.equal(server.requests.length, 3);
  assert.equal(compiler.compiled.length, 1);
});

test('removing takes away the model, its note and what was fetched', async () => {
  await install('large', { keepsCheckpoints: true });
  await store.remove('large');
  assert.deepEqual(stored().sort(), ['.downloads', '.origins']);
  server.offer('/files/decoder', content('decoder'), [status(404)]);
  await assert.rejects(install('large'), DownloadError);
  await store.remove('large');
  assert.deepEqual(stored().sort(), ['.downloads', '.origins']);
});

/** Makes a folder of files, each of which holds its own name. */
function folderWith(name: string, files: readonly string[], config?: object): string {
  const folder = join(root, name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  for (const entry of files) writeFileSync(join(folder, entry), entry);
  if (config !== undefined) writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  return folder;
}

const consent = { precision: null, acceptedLicence: 'CC-BY-NC-4.0' };

test('official files are found in a folder, and stay there', async () => {
  const files = [
    'finetuned_decoder.pt',
    'mimir.pt',
    'sentencepiece.source.256000.model',
    'sonar_text_encoder.pt',
  ];
  const folder = folderWith('My Models', [...files, 'notes.txt']);
  const unaccepted = { ...consent, acceptedLicence: '' };
  await assert.rejects(store.installFromFolder(folder, unaccepted), InvalidRequestError);
  assert.equal(await store.installFromFolder(folder, consent), 'my-models');
  const [sources] = compiler.compiled;
  assert.equal(sources?.encoder, join(folder, 'sonar_text_encoder.pt'));
  assert.equal(sources?.decoder, join(folder, 'finetuned_decoder.pt'));
  assert.equal(sources?.tokenizer, join(folder, 'sentencepiece.source.256000.model'));
  assert.deepEqual(sources?.lcms, { mimir: join(folder, 'mimir.pt') });
  assert.equal(sources?.space, 'sonar');
  assert.deepEqual(readdirSync(folder), [...files, 'notes.txt'].sort());
  assert.deepEqual(await installed(), ['my-models']);
});

for (const [name, files, lcms] of [
  ['one checkpoint', ['model.pt'], ['hers']],
  [
    'a checkpoint in shards',
    ['model-00001-of-00002.safetensors', 'model.safetensors.index.json'],
    ['hers'],
  ],
  ['two of them', ['One.bin', 'two.safetensors'], ['one', 'two']],
] as const) {
  test(`concept models are found in a folder with ${name}`, async () => {
    await store.installFromFolder(folderWith('hers', files), consent);
    const [sources] = compiler.compiled;
    assert.deepEqual(Object.keys(sources?.lcms ?? {}), lcms);
    assert.equal(sources?.encoder, undefined);
    assert.equal(sources?.space, 'sonar');
  });
}

test('a model of its own needs no consent to the licence of SONAR', async () => {
  const files = ['encoder.safetensors', 'decoder.safetensors', 'tokenizer.model'];
  const folder = folderWith('own', files, { encoder: {} });
  await store.installFromFolder(folder, { precision: 'fp32', acceptedLicence: '' });
  const [sources] = compiler.compiled;
  assert.equal(sources?.space, undefined);
  assert.equal(sources?.config, join(folder, 'config.json'));
  assert.equal(sources?.precision, 'fp32');
});

test('a folder without a model, and none at all, are told', async () => {
  for (const folder of [folderWith('bare', ['notes.txt']), join(root, 'absent')]) {
    await assert.rejects(store.installFromFolder(folder, consent), ModelMissingError);
  }
});

test('a compiled model is copied when it is intact', async () => {
  const folder = join(root, 'compiled');
  writeTinyAddOnFolder(folder, 'theirs', { space: 'sonar' });
  assert.equal(
    await store.installFromFolder(folder, { precision: null, acceptedLicence: '' }),
    'compiled',
  );
  await store.verify('compiled');
  writeTinyModelFolder(folder);
  await store.installFromFolder(folder, consent);
  assert.equal((await store.list())[0]?.kind, 'model');
  writeFileSync(join(folder, 'encoder.bin'), 'encoder.bix');
  await assert.rejects(store.installFromFolder(folder, consent), IntegrityError);
  await store.verify('compiled');
  assert.deepEqual(
    readdirSync(storageFolder).filter((name) => /copying|lock/.test(name)),
    [],
  );
});

test('a folder cannot take the name of the built-in model', async () => {
  const folder = folderWith('mine', ['model.pt']);
  await assert.rejects(store.installFromFolder(folder, consent), ConceptError);
});
