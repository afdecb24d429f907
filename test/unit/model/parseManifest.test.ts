import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IntegrityError } from '../../../server/base/errors.ts';
import { type Manifest, manifestVersion } from '../../../server/model/manifest.ts';
import {
  checkFileSizes,
  manifestFiles,
  parseManifest,
} from '../../../server/model/parseManifest.ts';
import { tinyManifest } from '../../support/tinyManifest.ts';

function parse(manifest: unknown): Manifest {
  return parseManifest(JSON.stringify(manifest), 'manifest.json');
}

/** Returns a copy with the value at a path like `encoder.graph.model.file` replaced. */
function withValue(path: string, value: unknown): object {
  const copy = structuredClone(tinyManifest);
  const keys = path.split('.');
  const last = keys.pop() ?? '';
  let place: Record<string, unknown> = { ...copy };
  const root = place;
  for (const key of keys) {
    const inner = place[key];
    const clone = Array.isArray(inner) ? [...inner] : { ...(inner as object) };
    place[key] = clone;
    place = clone as Record<string, unknown>;
  }
  place[last] = value;
  return root;
}

function checkRefused(path: string, value: unknown, expected: string): void {
  assert.throws(
    () => parse(withValue(path, value)),
    (error) => {
      assert.ok(error instanceof IntegrityError, String(error));
      assert.ok(error.message.startsWith(`manifest.json: ${expected}`), error.message);
      return true;
    },
    `${path} = ${JSON.stringify(value)}`,
  );
}

/** Every path of a value to a leaf. */
function leaves(value: unknown, path: readonly string[] = []): string[] {
  if (typeof value !== 'object' || value === null) return [path.join('.')];
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, [...path, key]));
}

test('a manifest is parsed as it was written', () => {
  assert.deepEqual(parse(tinyManifest), tinyManifest);
});

test('fields of a later version of the compiler are left out', () => {
  assert.deepEqual(parse({ ...tinyManifest, later: 1 }), tinyManifest);
});

test('an add-on has concept models, and no files of an encoder, decoder or tokenizer', () => {
  const { encoder: _e, decoder: _d, tokenizer: _t, entropy: _b, ...others } = tinyManifest;
  const { directions: _n, ...rest } = others;
  const addOn = { ...rest, kind: 'conceptModels' };
  const parsed = parse(addOn);
  assert.deepEqual(parsed, addOn);
  assert.deepEqual(
    manifestFiles(parsed),
    manifestFiles(tinyManifest).filter(({ file }) =>
      /^(base|two-tower|one-tower|quant|sonar-llm)\./.test(file),
    ),
  );
  assert.throws(() => parse({ ...rest, kind: 'model' }), /tokenizer: expected an object/);
  checkRefused('kind', 'tokenizer', 'kind: expected model or conceptModels, found "tokenizer"');
});

test('every file is listed once, the manifest not included', () => {
  assert.deepEqual(
    manifestFiles(tinyManifest).map(({ file }) => file),
    [
      'tokenizer.model',
      ...['base.normalizer.bin', 'quant.codebooks.bin'],
      ...['encoder', 'decoder.prepare', 'decoder.step', 'entropy', 'base.lcm'],
      ...['two-tower.context', 'two-tower.crossAttention', 'two-tower.denoiser'],
      ...['one-tower.lcm', 'quant.lcm', 'sonar-llm.lcm'],
    ].flatMap((name) =>
      name.includes('.m') || name.endsWith('.bin') ? [name] : [`${name}.onnx`, `${name}.bin`],
    ),
  );
});

/** Fields for which nothing says null. */
const isNullable =
  /(shortlist|directions|normalizer|confidence|repetitionThreshold|beginText|\.sampling\.\w+)$/;

test('a field that is missing or of another type is told by name', () => {
  for (const path of leaves(tinyManifest)) {
    if (path.startsWith('tokenizer.langs.') || isNullable.test(path)) continue;
    const wrong = path.replace(/\.(\d+)/g, '[$1]');
    checkRefused(path, undefined, `${wrong}: expected`);
    checkRefused(path, { a: 1 }, `${wrong}: expected`);
    checkRefused(path, [], `${wrong}: expected`);
  }
});

const shortlist = {
  langs: ['fra_Latn'],
  file: { file: 'decoder.shortlist.bin', sizeBytes: 4 * 20, sha256: '0'.repeat(64) },
};

test('a shortlist is parsed as it was written, and its file is one of the folder', () => {
  const decoder = { ...tinyManifest.decoder, shortlist };
  const manifest = { ...tinyManifest, decoder };
  assert.deepEqual(parse(manifest), manifest);
  assert.ok(manifestFiles(manifest).some(({ file }) => file === 'decoder.shortlist.bin'));
});

test('a shortlist has languages of the tokenizer, and no more tokens than it', () => {
  const check = (change: object, expected: string) =>
    checkRefused('decoder.shortlist', { ...shortlist, ...change }, `decoder.shortlist.${expected}`);
  for (const langs of [[], ['deu_Latn'], ['eng_Latn', 'deu_Latn'], 'eng_Latn']) {
    check({ langs }, 'langs: expected');
  }
  for (const sizeBytes of [0, 2, 4 * 20 + 1, 4 * 41]) {
    check({ file: { ...shortlist.file, sizeBytes } }, 'file.sizeBytes: expected 4 bytes for each');
  }
  check({ file: { ...shortlist.file, file: '../ids' } }, 'file.file: expected');
  checkRefused('decoder.shortlist', [], 'decoder.shortlist: expected an object');
});

const directions = {
  names: ['shorter', 'more-concrete'],
  file: { file: 'directions.bin', sizeBytes: 4 * 2 * 32, sha256: '0'.repeat(64) },
};

test('directions are parsed as they were written, and their file is one of the folder', () => {
  const manifest = { ...tinyManifest, directions };
  assert.deepEqual(parse(manifest), manifest);
  assert.equal(manifestFiles(parse(manifest)).length, manifestFiles(tinyManifest).length + 1);
  const { directions: _, ...older } = tinyManifest;
  assert.deepEqual(parse(older), tinyManifest);
});

test('names of directions are few and plain, and their file has a number for each of E', () => {
  const check = (change: object, message: string) =>
    checkRefused('directions', { ...directions, ...change }, `directions.${message}`);
  const many = Array.from({ length: 257 }, (_, i) => `d${'x'.repeat(i % 30)}`);
  for (const names of [['a', 'a'], ['__proto__'], ['A'], ['x'.repeat(41)], many, [7], 'a']) {
    check({ names }, 'names: expected');
  }
  for (const sizeBytes of [0, 4 * 2 * 32 - 1, 4 * 3 * 32]) {
    check({ file: { ...directions.file, sizeBytes } }, 'file.sizeBytes: expected 256, 4 bytes');
  }
  check({ file: { ...directions.file, file: '../d' } }, 'file.file: expected');
});

test('another version must be prepared again', () => {
  const range = `from ${manifestVersion} to ${manifestVersion}`;
  checkRefused('version', 0, `version: expected an integer ${range}, found 0`);
  checkRefused('version', manifestVersion + 1, 'version');
});

test('a file name cannot point out of the folder', () => {
  const names = [
    '',
    '.',
    '..',
    '../a',
    '/a',
    'a/b',
    'a\\b',
    'C:a',
    '.hidden',
    'a\0',
    'x'.repeat(200),
  ];
  for (const name of names) {
    checkRefused('encoder.graph.model.file', name, 'encoder.graph.model.file: expected');
  }
});

test('sizes, digests and counts out of range are refused', () => {
  checkRefused('tokenizer.file.sizeBytes', -1, 'tokenizer.file.sizeBytes');
  checkRefused('tokenizer.file.sizeBytes', 1.5, 'tokenizer.file.sizeBytes');
  checkRefused('tokenizer.file.sizeBytes', 2 ** 60, 'tokenizer.file.sizeBytes');
  checkRefused('tokenizer.file.sha256', 'ABC', 'tokenizer.file.sha256: expected a SHA-256 digest');
  checkRefused('tokenizer.defaultLang', 'tlh_Latn', 'tokenizer.defaultLang: expected one of langs');
  checkRefused('sourceDigest', '0', 'sourceDigest: expected a SHA-256 digest');
  checkRefused('embeddingDim', 0, 'embeddingDim');
  checkRefused('embeddingDim', 1e9, 'embeddingDim');
  checkRefused('decoder.vocabInfo.padIdx', -1, 'decoder.vocabInfo.padIdx');
  checkRefused(
    'encoder.precision',
    'int2',
    'encoder.precision: expected fp32 or fp16 or int8 or int4',
  );
  checkRefused('conceptModels.0.family', 'flow_lcm', 'conceptModels[0].family');
  checkRefused('conceptModels.0.name', '../base', 'conceptModels[0].name');
  checkRefused('conceptModels.1.name', 'base', 'conceptModels: expected each name once');
  checkRefused(
    'conceptModels.1.noiseScheduler.numDiffusionTrainSteps',
    1e9,
    'conceptModels[1].noise',
  );
});

test('a manifest cut at any byte is damaged and nothing worse', () => {
  const whole = JSON.stringify(tinyManifest);
  for (let length = 0; length < whole.length; length += 1) {
    assert.throws(() => parseManifest(whole.slice(0, length), 'm'), IntegrityError);
  }
});

test('files of other sizes, and missing ones, are told by name', () => {
  const sizes = new Map(
    manifestFiles(tinyManifest).map(({ file, sizeBytes }) => [file, sizeBytes]),
  );
  const check = () => checkFileSizes(tinyManifest, 'folder', (file) => sizes.get(file) ?? null);
  check();
  sizes.set('encoder.bin', 1);
  assert.throws(check, {
    name: 'IntegrityError',
    message: /^folder: encoder\.bin: expected \d+ bytes, found 1$/,
  });
  sizes.delete('encoder.bin');
  assert.throws(check, { name: 'IntegrityError', message: /found no file$/ });
});
