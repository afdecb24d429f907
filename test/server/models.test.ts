import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { CancellationTokenSource, ResponseError } from 'vscode-languageserver-protocol/node';
import type { ErrorCode } from '../../protocol/errors.ts';
import {
  type InstallModelParams,
  installModel,
  listModels,
  removeModel,
  verifyModel,
} from '../../protocol/server.ts';
import { BrokenServer, status } from '../support/brokenServer.ts';
import { runCli } from '../support/runCli.ts';
import { ServerProcess } from '../support/serverProcess.ts';
import { tinyConfig, writeTinySources } from '../support/tinySources.ts';

/*
 * Models that come and go, over a real connection: a tiny model of the space `sonar` from a folder,
 * and what its hosts would give, from a mirror on this machine.
 */

const root = mkdtempSync(join(tmpdir(), 'thoughtline-models-'));
const licence = 'CC-BY-NC-4.0';

/** The tiny model as if it were of SONAR's space; its name is that of its folder. */
const inSonar = { ...tinyConfig, space: 'sonar', name: undefined };

let mirror: BrokenServer;
let server: ServerProcess;
let settings: object;
before(async () => {
  mirror = await BrokenServer.start();
  settings = { model: { mirror: mirror.address } };
  server = await ServerProcess.start(settings);
});
after(async () => {
  assert.equal(await server.stop(), 0);
  await mirror.stop();
  rmSync(root, { recursive: true });
});
beforeEach(() => mirror.reset());

/** Writes the files of a tiny model into a folder of a name. */
function tinyFolder(name: string, config: object = tinyConfig): string {
  const folder = join(root, name);
  mkdirSync(folder, { recursive: true });
  writeTinySources(folder, { config });
  return folder;
}

function install(params: Partial<InstallModelParams>, token?: CancellationTokenSource['token']) {
  const all = {
    source: { kind: 'folder', folder: '' },
    precision: null,
    acceptedLicence: licence,
    keepsCheckpoints: false,
    ...params,
  };
  const { method } = installModel; // untyped: some of the parameters are wrong on purpose
  return token === undefined
    ? server.connection.sendRequest(method, all)
    : server.connection.sendRequest(method, all, token);
}

const fromMirror = (id: string) => ({ source: { kind: 'catalogue', id } as const });

async function checkRefusal(request: Promise<unknown>, code: ErrorCode, message: RegExp) {
  await assert.rejects(request, (error: unknown) => {
    assert.ok(error instanceof ResponseError, String(error));
    assert.match(error.message, message);
    assert.equal(error.data.code, code, error.message);
    return true;
  });
}

async function installedNames(): Promise<string[]> {
  const { installed } = await server.connection.sendRequest(listModels, {});
  return installed.map(({ name }) => name);
}

test('the list has the built-in model and the catalogue, and asks no host', async () => {
  const { installed, available, freeBytes } = await server.connection.sendRequest(listModels, {});
  assert.deepEqual(
    installed.map(({ name, state, isBuiltIn }) => [name, state, isBuiltIn]),
    [['thoughtline-1', 'ready', true]],
  );
  assert.ok(freeBytes > 0);
  const sonar = available.find(({ id }) => id === 'sonar');
  const mimir = available.find(({ id }) => id === 'mimir-1-6b');
  assert.ok(sonar && mimir);
  assert.equal(sonar.licence.id, licence);
  assert.deepEqual(mimir.alsoInstalls, ['SONAR']);
  assert.ok(mimir.downloadBytes > sonar.downloadBytes);
  assert.ok(sonar.needs.int8.diskBytes < sonar.needs.fp32.diskBytes);
  assert.deepEqual(mirror.requests, []);
});

test('a model of a folder is installed, chosen without a restart, and removed', async () => {
  const folder = tinyFolder('Tiny One', inSonar);
  const source = { kind: 'folder', folder } as const;
  const result = await install({ source, workDoneToken: 'install' });
  const conceptModels = Object.keys(tinyConfig.lcm);
  assert.deepEqual(result, { name: 'tiny-one', kind: 'model', space: 'sonar', conceptModels });
  assert.equal(server.progress.at(0), 'begin');
  assert.equal(server.progress.at(-1), 'end');
  assert.deepEqual(await installedNames(), ['thoughtline-1', 'tiny-one']);
  await server.connection.sendRequest(verifyModel, { name: 'tiny-one' });

  await server.configure({ model: { mirror: mirror.address, name: 'tiny-one' } });
  await server.status((told) => told.state === 'ready' && told.model === 'tiny-one');
  await server.configure(settings);
  await server.status((told) => told.state === 'ready' && told.model === 'thoughtline-1');

  await server.connection.sendRequest(removeModel, { name: 'tiny-one' });
  assert.deepEqual(await installedNames(), ['thoughtline-1']);
});

test('what a mirror has is downloaded, compiled and added to the model in use', async () => {
  await install({ source: { kind: 'folder', folder: tinyFolder('large', inSonar) } });
  const inUse = { model: { mirror: mirror.address, name: 'large' } };
  await server.configure(inUse);
  await server.status((told) => told.state === 'ready' && told.model === 'large');

  const weights = readFileSync(join(root, 'large', 'sonar-llm.safetensors'));
  const address = '/raxtemur/sonar-llm-100m/resolve/main';
  mirror.offer(`${address}/pytorch_model.bin`, weights);
  mirror.offer(`${address}/config.json`, Buffer.from(JSON.stringify(tinyConfig.lcm['sonar-llm'])));
  const result = await install(fromMirror('sonar-llm-100m'));
  const name = 'sonar-llm-100m';
  assert.deepEqual(result, { name, kind: 'conceptModels', space: 'sonar', conceptModels: [name] });
  await server.configure({ ...inUse, completion: { conceptModel: name } });
  await server.status((told) => told.state === 'ready' && told.conceptModel === name);
  const { installed } = await server.connection.sendRequest(listModels, {});
  const added = installed.find((model) => model.name === name);
  assert.equal(added?.licence, licence);
  assert.deepEqual(
    added?.files.map(({ checkedAgainst }) => checkedAgainst),
    ['none', 'none'],
  );
  await server.connection.sendRequest(verifyModel, { name });

  await server.configure(settings);
  for (const gone of [name, 'large']) {
    await server.connection.sendRequest(removeModel, { name: gone });
  }
  assert.deepEqual(await installedNames(), ['thoughtline-1']);
});

test('what is another model than its name says is refused, and is no model', async () => {
  await install({ source: { kind: 'folder', folder: tinyFolder('other', inSonar) } });
  const weights = readFileSync(join(root, 'other', 'two-tower.safetensors'));
  mirror.offer('/mimir-lcm/Mimir-1.6B/resolve/main/model.pt', weights);
  await checkRefusal(install(fromMirror('mimir-1-6b')), 'modelUnsupported', /expected/);
  assert.deepEqual(await installedNames(), ['thoughtline-1', 'other']);
  for (const gone of ['mimir-1-6b', 'other']) {
    await server.connection.sendRequest(removeModel, { name: gone });
  }
});

test('a request without consent, or with other words than ours, opens no connection', async () => {
  const id = 'sonar';
  for (const [params, message] of [
    [{ ...fromMirror(id), acceptedLicence: '' }, /licence: expected CC-BY-NC-4\.0/],
    [{ ...fromMirror(id), acceptedLicence: 'MIT' }, /found MIT/],
    [fromMirror('no-such-model'), /model: expected one of sonar, /],
    [{ ...fromMirror(id), precision: 'int2' }, /precision: expected/],
    [{ source: { kind: 'address', url: 'https://a.example' } }, /source\.kind/],
    [{ source: { kind: 'catalogue' } }, /source\.id: expected text/],
  ] as const) {
    await checkRefusal(install(Object(params)), 'invalidRequest', message);
  }
  assert.deepEqual(mirror.requests, []);
});

for (const [name, answer, code, message] of [
  ['a file that is not there', status(404), 'downloadNotFound', /status 404/],
  ['a host that wants an account', status(401), 'downloadForbidden', /wants an account/],
] as const) {
  test(`${name} has a code of its own`, async () => {
    mirror.offer('/SONAR/sonar_text_encoder.pt', Buffer.alloc(9), [answer]);
    await checkRefusal(install(fromMirror('sonar')), code, message);
  });
}

test('a file of another length is refused before it comes', async () => {
  mirror.offer('/SONAR/sonar_text_encoder.pt', Buffer.alloc(9));
  const message = /expected 3064513202 bytes, found 9/;
  await checkRefusal(install(fromMirror('sonar')), 'downloadCorrupt', message);
});

test('an install is cancelled, and the server goes on', async () => {
  const silence = mirror.silence();
  const cancel = new CancellationTokenSource();
  mirror.offer('/SONAR/sonar_text_encoder.pt', Buffer.alloc(9), [
    (_request, response) => {
      response.writeHead(200, { 'content-length': 3_064_513_202 });
      response.write(Buffer.alloc(1000), () => mirror.fallSilent());
    },
  ]);
  const request = install(fromMirror('sonar'), cancel.token);
  await silence;
  cancel.cancel();
  await assert.rejects(request, { code: -32800 });
  assert.deepEqual(await installedNames(), ['thoughtline-1']);
});

const ownCache = { HOME: root, XDG_CACHE_HOME: root, LOCALAPPDATA: root };

function cli(args: readonly string[], expected: number) {
  const run = runCli(['models', ...args], '', ownCache);
  assert.equal(run.status, expected, run.stderr);
  return run;
}

test('the command line lists, installs, verifies and removes', () => {
  const states = cli([], 0).results.map(({ state }) => state);
  assert.deepEqual(new Set(states), new Set(['ready', 'available']));
  const folder = tinyFolder('by-hand');
  const [installed] = cli(['install', '--from', folder, '--precision', 'fp32'], 0).results;
  assert.equal(installed?.['name'], 'by-hand');
  const [, model] = cli(['list'], 0).results;
  assert.equal(model?.['precision'], 'fp32');
  cli(['verify', 'by-hand'], 0);
  writeFileSync(join(String(model?.['folder']), 'encoder.bin'), '');
  assert.match(cli(['verify', 'by-hand'], 1).stderr, /encoder\.bin/);
  cli(['remove', 'by-hand'], 0);
  assert.equal(cli(['list'], 0).results[1]?.['state'], 'available');
});

for (const [args, expected, pattern] of [
  [['install', 'sonar'], 1, /expected CC-BY-NC-4\.0 to be accepted/],
  [['install', 'sonar', '--precision', 'int2'], 2, /--precision: expected/],
  [['install'], 2, /expected the id of a model, or --from FOLDER/],
  [['install', '--from', 'no-such-folder'], 1, /no-such-folder/],
  [['remove'], 2, /expected the name/],
  [['remove', 'thoughtline-1'], 1, /built-in/],
  [['verify', 'no-such-model'], 1, /no-such-model/],
  [['fetch'], 2, /expected list, install, remove or verify, found fetch/],
] as const) {
  test(`the command line refuses: models ${args.join(' ')}`, () => {
    assert.match(cli(args, expected).stderr, pattern);
  });
}
