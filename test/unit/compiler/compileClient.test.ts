import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { build } from 'esbuild';
import {
  CheckpointFormatError,
  ConceptError,
  IntegrityError,
  InvalidRequestError,
  isAbortError,
  MemoryError,
  WeightMismatchError,
} from '../../../server/base/errors.ts';
import { fromWireError, toWireError } from '../../../server/base/wireError.ts';
import { compileModel } from '../../../server/compiler/compile.ts';
import { CompileClient } from '../../../server/compiler/compileClient.ts';
import { tinyConfig, writeTinySources } from '../../support/tinySources.ts';

const root = mkdtempSync(join(tmpdir(), 'thoughtline-worker-'));
const sources = join(root, 'sources');
const workerFile = join(root, 'compileWorker.js');
const client = new CompileClient(workerFile);
before(async () => {
  mkdirSync(sources);
  await build({
    entryPoints: ['server/compiler/compileWorker.ts'],
    outfile: workerFile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    minify: true,
    keepNames: true,
  });
});
after(() => rmSync(root, { recursive: true }));

test('a model compiled in a worker thread is the one compiled here', async () => {
  const request = writeTinySources(sources);
  const here = await compileModel({ ...request, outDir: join(root, 'here') });
  const fractions: number[] = [];
  const there = await client.compile(
    { ...request, outDir: join(root, 'there') },
    { onProgress: (fraction) => fractions.push(fraction) },
  );
  assert.deepEqual(there, here);
  assert.equal(fractions.at(-1), 1);
  assert.equal(await client.sourceDigest(request), here.sourceDigest);
});

test('an error crosses with its class, code and message', async () => {
  const outDir = join(root, 'refused');
  const request = { ...writeTinySources(sources), outDir };
  await assert.rejects(client.compile({ ...request, encoder: join(root, 'absent') }), {
    constructor: CheckpointFormatError,
    code: 'modelCorrupt',
    message: /absent/,
  });
  const config = { ...tinyConfig, tokenizer: { langs: ['eng_Latn'] } };
  const mismatched = { ...writeTinySources(sources, { config }), outDir };
  await assert.rejects(client.compile(mismatched), {
    constructor: WeightMismatchError,
    code: 'modelUnsupported',
  });
  assert.deepEqual(
    readdirSync(root).filter((name) => name.includes('refused')),
    [],
  );
});

test('every class survives the way between threads, and what is not ours is internal', () => {
  for (const ErrorClass of [CheckpointFormatError, WeightMismatchError, IntegrityError]) {
    const error = fromWireError(toWireError(new ErrorClass('a thing')));
    assert.ok(error instanceof ErrorClass);
    assert.equal(error.message, 'a thing');
  }
  assert.ok(
    fromWireError(toWireError(new InvalidRequestError('a'))) instanceof InvalidRequestError,
  );
  const other = fromWireError(toWireError(new TypeError('a mistake')));
  assert.ok(other instanceof ConceptError);
  assert.deepEqual([other.code, other.message], ['internal', 'a mistake']);
  const memory = fromWireError(toWireError(new RangeError('Array buffer allocation failed')));
  assert.ok(memory instanceof MemoryError);
});

test('cancelling stops the thread and leaves nothing', async () => {
  const request = { ...writeTinySources(sources), outDir: join(root, 'cancelled') };
  const abort = new AbortController();
  const compiling = client.compile(request, { signal: abort.signal });
  abort.abort(); // is heard at the latest while the first file is hashed
  await assert.rejects(compiling, isAbortError);
  const left = readdirSync(root).filter((name) => name.includes('cancelled'));
  assert.deepEqual(left, []);
  await assert.rejects(client.compile(request, { signal: AbortSignal.abort() }), isAbortError);
});

test('a thread that dies without an answer is an error of ours', async () => {
  const silent = join(root, 'silent.js');
  writeFileSync(silent, '');
  const request = { ...writeTinySources(sources), outDir: join(root, 'silent') };
  await assert.rejects(
    new CompileClient(silent).compile(request),
    (error) => error instanceof ConceptError && error.code === 'internal',
  );
});
