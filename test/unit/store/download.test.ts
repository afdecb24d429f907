import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import type { ErrorCode } from '../../../protocol/errors.ts';
import { DownloadError, isAbortError } from '../../../server/base/errors.ts';
import { nullLogger } from '../../../server/base/logger.ts';
import {
  type DownloadOptions,
  type DownloadRequest,
  download,
} from '../../../server/store/download.ts';
import { idleLimitMs } from '../../../server/store/http.ts';
import { removeDownload } from '../../../server/store/partialFile.ts';
import {
  type Answer,
  BrokenServer,
  chunked,
  etagOf,
  hangUp,
  ignoreRange,
  promise,
  redirect,
  serve,
  status,
  withHeaders,
  wrongBytes,
  wrongRange,
} from '../../support/brokenServer.ts';
import { FakeClock } from '../../support/fakeClock.ts';

const folder = mkdtempSync(join(tmpdir(), 'thoughtline-download-'));
const file = join(folder, 'model.pt');
const bytes = randomBytes(200_000);
const sha256 = createHash('sha256').update(bytes).digest('hex');

let server: BrokenServer;
let clock: FakeClock;
before(async () => {
  server = await BrokenServer.start();
});
after(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});
beforeEach(async () => {
  await removeDownload(file);
  server.reset();
  clock = new FakeClock();
});

/** Downloads a file whose requests are answered as planned. */
function fetchFile(
  plan: readonly Answer[] = [],
  request: Partial<DownloadRequest> = {},
  options: Partial<DownloadOptions> = {},
) {
  server.offer('/model.pt', bytes, plan);
  const onProgress = (done: number) => {
    server.arrived(done);
    options.onProgress?.(done);
  };
  return download(
    { url: server.url('/model.pt'), file, sizeBytes: bytes.length, sha256, ...request },
    { proxy: { url: '', exceptions: [] }, clock, logger: nullLogger, ...options, onProgress },
  );
}

async function checkArrives(plan: readonly Answer[], request: Partial<DownloadRequest> = {}) {
  const record = await fetchFile(plan, request);
  assert.equal(record.sha256, sha256);
  assert.equal(record.sizeBytes, bytes.length);
  assert.ok(readFileSync(file).equals(bytes));
  assert.deepEqual(readdirSync(folder).sort(), ['model.pt', 'model.pt.json']);
  return record;
}

async function checkFails(
  plan: readonly Answer[],
  code: ErrorCode,
  message: RegExp,
  request: Partial<DownloadRequest> = {},
) {
  await assert.rejects(fetchFile(plan, request), (error) => {
    assert.ok(error instanceof DownloadError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  });
  assert.ok(!existsSync(file));
}

const ranges = () => server.requests.map(({ range }) => range);

test('a file arrives whole, and is not asked for again', async () => {
  const told: number[] = [];
  await fetchFile([], {}, { onProgress: (done) => told.push(done) });
  assert.equal(told.at(-1), bytes.length);
  assert.deepEqual(
    told,
    told.toSorted((a, b) => a - b),
  );
  const record = await checkArrives([]);
  assert.equal(record.checkedAgainst, 'pinned');
  assert.equal(server.requests.length, 1);
});

test('broken and resumed gives the same bytes as whole', async () => {
  await checkArrives([server.breaks(1000), server.breaks(50_000), server.breaks(1), hangUp, serve]);
  assert.deepEqual(ranges(), [
    undefined,
    'bytes=1000-',
    'bytes=51000-',
    'bytes=51001-',
    'bytes=51001-',
  ]);
  assert.ok(server.requests.slice(1).every(({ ifRange }) => ifRange === etagOf(bytes)));
  assert.deepEqual(clock.waits, [1000, 2000, 4000, 8000]);
});

test('what an earlier process has left is gone on with', async () => {
  const cancelled = new AbortController();
  const onProgress = (done: number) => done > 0 && cancelled.abort();
  const options = { signal: cancelled.signal, onProgress };
  await assert.rejects(fetchFile([server.breaks(70_000)], {}, options), isAbortError);
  const left = readFileSync(`${file}.part`).length;
  assert.ok(left > 0 && !existsSync(file));
  await checkArrives([]);
  assert.deepEqual(ranges().slice(1), [`bytes=${left}-`]);
});

test('without a digest it is gone on only where the host can tell the file', async () => {
  const unknown = { sha256: null };
  await checkArrives([withHeaders({ etag: 'W/"weak"' }), serve], unknown);
  for (const [etag, isContinued] of [
    [etagOf(bytes), true],
    ['W/"weak"', false],
  ] as const) {
    await removeDownload(file);
    server.requests.length = 0;
    const first: Answer = (request, response, all) => {
      response.setHeader('etag', etag);
      server.breaks(900)(request, response, all);
    };
    const record = await checkArrives([first], unknown);
    assert.equal(record.checkedAgainst, 'none');
    assert.deepEqual(ranges(), [undefined, isContinued ? 'bytes=900-' : undefined]);
  }
});

test('a host that ignores ranges is started over with', async () => {
  await checkArrives([server.breaks(1000), ignoreRange]);
});

test('a file that changed meanwhile is started over with', async () => {
  const other = randomBytes(bytes.length);
  const cancelled = new AbortController();
  const onProgress = () => cancelled.abort();
  const started = fetchFile([], { sha256: null }, { onProgress, signal: cancelled.signal });
  await assert.rejects(started, isAbortError);
  writeFileSync(`${file}.part`, bytes.subarray(0, 500));
  server.offer('/model.pt', other);
  await download(
    { url: server.url('/model.pt'), file, sizeBytes: null, sha256: null },
    { proxy: { url: '', exceptions: [] }, clock, logger: nullLogger },
  );
  assert.ok(readFileSync(file).equals(other));
});

for (const header of [
  `bytes 0-${bytes.length - 1}/${bytes.length}`,
  `bytes 1000-1999/${bytes.length}`,
  `bytes 1000-${bytes.length}/${bytes.length + 1}`,
  'lines 1-2/3',
]) {
  test(`a wrong range is not believed: ${header}`, async () => {
    await checkArrives([server.breaks(1000), wrongRange(header)]);
  });
}

test('a whole part that was not checked yet is asked for no more', async () => {
  await assert.rejects(fetchFile(Array(6).fill(server.breaks(7))), DownloadError);
  writeFileSync(`${file}.part`, bytes);
  await checkArrives([]);
  assert.equal(ranges().at(-1), `bytes=${bytes.length}-`);
});

test('a part that is longer than the file is started over with', async () => {
  await assert.rejects(fetchFile([server.breaks(9), status(404)]), DownloadError);
  writeFileSync(`${file}.part`, Buffer.alloc(bytes.length + 5));
  await checkArrives([]);
});

test('a silent connection is given up, and the rest is asked for', async () => {
  const onProgress = (done: number) => {
    if (done === 3000) setImmediate(() => clock.expire(idleLimitMs));
  };
  await fetchFile([server.falls(3000)], {}, { onProgress });
  assert.deepEqual(ranges(), [undefined, 'bytes=3000-']);
});

test('a host may ask for a short wait', async () => {
  const soon = new Date(clock.now() + 7000).toUTCString();
  await checkArrives([
    status(503, { 'retry-after': '3' }),
    status(429, { 'retry-after': soon }),
    status(500),
  ]);
  assert.deepEqual(clock.waits, [3000, 7000, 4000]);
});

test('a redirect is followed, and the digest that it announces is held to', async () => {
  const linked = { 'x-linked-etag': `"${sha256}"` };
  const unknown = { sha256: null, sizeBytes: null };
  server.offer('/elsewhere', bytes);
  const record = await checkArrives([redirect('/elsewhere?signature=1', linked)], {
    ...unknown,
    url: server.url('/model.pt'),
  }).catch((error) => error);
  assert.ok(record instanceof DownloadError, 'the signed address is another file');
  server.offer('/elsewhere?signature=1', bytes);
  assert.equal(
    (await checkArrives([redirect('/elsewhere?signature=1', linked)], unknown)).checkedAgainst,
    'announced',
  );
  await removeDownload(file);
  server.offer('/elsewhere?signature=1', Buffer.alloc(bytes.length));
  const plan = [redirect('/elsewhere?signature=1', linked)];
  await checkFails(plan, 'downloadCorrupt', /expected SHA-256/, unknown);
});

for (const [name, plan, request] of [
  ['of unknown length, in chunks', [chunked()], { sizeBytes: null }],
  ['of known length, in chunks', [chunked()], {}],
  ['of which nothing is known', [], { sizeBytes: null, sha256: null }],
] as const) {
  test(`a file arrives ${name}`, async () => {
    await checkArrives(plan, request);
  });
}

for (const [name, code, message, plan] of [
  ['a refusal', 'downloadForbidden', /model\.pt: expected the file, found status 401/, status(401)],
  ['a gate', 'downloadForbidden', /found status 403/, status(403)],
  ['an absent file', 'downloadNotFound', /found status 404/, status(404)],
  ['a proxy that wants a name', 'downloadProxy', /found status 407/, status(407)],
  ['a range nobody asked for', 'downloadFailed', /found status 416/, status(416)],
  ['a part nobody asked for', 'downloadFailed', /found status 206/, wrongRange('bytes 0-1/2')],
  [
    'a host that wants a long wait',
    'downloadFailed',
    /found status 503/,
    status(503, { 'retry-after': '86400' }),
  ],
  ['other bytes', 'downloadCorrupt', /expected SHA-256 \w{64}, found \w{64}/, wrongBytes],
  ['a promise of more', 'downloadCorrupt', /expected 200000 bytes, found 200001/, promise(200_001)],
  ['a promise of less', 'downloadCorrupt', /expected 200000 bytes, found 9/, promise(9)],
  ['more than was promised', 'downloadCorrupt', /found more/, chunked(1)],
  [
    'a page to sign in',
    'downloadFailed',
    /found a web page/,
    withHeaders({ 'content-type': 'text/html; charset=utf-8' }),
  ],
  [
    'another encoding',
    'downloadFailed',
    /in encoding gzip/,
    withHeaders({ 'content-encoding': 'gzip' }),
  ],
  ['a redirect to http', 'downloadFailed', /expected https/, redirect('http://example.com/')],
  ['a redirect to a file', 'downloadFailed', /expected https/, redirect('file:///etc/passwd')],
  ['a redirect to nowhere', 'downloadFailed', /no address/, redirect('http://')],
] as const) {
  test(`${name} fails at once`, async () => {
    await checkFails([plan], code, message);
    assert.deepEqual(clock.waits, []);
    assert.equal(server.requests.length, 1);
  });
}

test('wrong bytes are removed, so that they are not gone on with', async () => {
  await checkFails([server.breaks(10), wrongBytes], 'downloadCorrupt', /expected SHA-256/);
  assert.deepEqual(readdirSync(folder), []);
  await checkArrives([]);
});

test('redirects in a circle end', () =>
  checkFails(Array(9).fill(redirect('/model.pt')), 'downloadFailed', /more than 5 redirects/));

test('a host that breaks again and again is given up, and what has come is kept', async () => {
  await checkFails(Array(9).fill(server.breaks(10)), 'downloadFailed', /127\.0\.0\.1/);
  assert.equal(clock.waits.length, 5);
  assert.equal(readFileSync(`${file}.part`).length, 60);
});

test('a host that promises more than it gives is given up', () =>
  checkFails(Array(9).fill(promise(200_001)), 'downloadFailed', /127\.0\.0\.1/, {
    sizeBytes: null,
  }));

test('a host that is not there is named', async () => {
  const gone = await BrokenServer.start();
  const url = gone.url('/model.pt');
  await gone.stop();
  await checkFails([], 'downloadOffline', /ECONNREFUSED/, { url });
});

test('only https leaves this machine', async () => {
  const url = new URL('http://example.com/model.pt');
  await checkFails([], 'downloadFailed', /expected https/, { url });
});

test('a cancelled download stops within a chunk, and while it waits', async () => {
  const whileItWaits = new AbortController();
  const logger = { ...nullLogger, warn: () => whileItWaits.abort() };
  const options = { logger, signal: whileItWaits.signal };
  await assert.rejects(fetchFile([status(500)], {}, options), isAbortError);
  await assert.rejects(fetchFile([], {}, { signal: AbortSignal.abort() }), isAbortError);
  const silence = server.silence();
  const inSilence = new AbortController();
  const silent = fetchFile([server.falls(10)], {}, { signal: inSilence.signal });
  await silence;
  inSilence.abort();
  await assert.rejects(silent, isAbortError);
  assert.ok(!existsSync(file));
});
