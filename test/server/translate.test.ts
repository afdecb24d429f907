import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { describeLanguage, translate as translateRequest } from '../../protocol/server.ts';
import { sonarLanguages } from '../../server/text/languages.ts';
import { runCli } from '../support/runCli.ts';
import { ServerProcess } from '../support/serverProcess.ts';
import { writeTinySources } from '../support/tinySources.ts';

/*
 * `translate` and `languages` with a tiny model of two languages, whose pieces are letters and
 * whose encoder reads 16 tokens, and with the built-in one.
 */

const folder = mkdtempSync(join(tmpdir(), 'thoughtline-translate-'));
const model = join(folder, 'model');
after(() => rmSync(folder, { recursive: true, force: true }));

before(() => {
  mkdirSync(join(folder, 'sources'));
  const sources = writeTinySources(join(folder, 'sources'));
  const options = ['encoder', 'decoder', 'tokenizer', 'config'] as const;
  const files = options.flatMap((name) => [`--${name}`, String(sources[name])]);
  const { status, stderr } = runCli(['compile', ...files, '--out', model]);
  assert.equal(status, 0, stderr);
});

function translate(args: readonly string[], input: string) {
  return runCli(['translate', '--model', model, '--beam', '2', ...args], input);
}

test('translation is encoding in one language and decoding in the other', () => {
  const { status, stderr, results } = translate(['--from', 'en', '--to', 'French'], 'abc\n');
  assert.equal(status, 0, stderr);
  const encoded = runCli(['encode', '--model', model, '--lang', 'eng_Latn'], 'abc\n');
  const decode = ['decode', '--model', model, '--lang', 'fr', '--beam', '2'];
  const [decoded] = runCli(decode, JSON.stringify(encoded.results[0])).results;
  assert.deepEqual(results, [
    {
      text: 'abc',
      from: 'eng_Latn',
      translation: decoded?.['text'],
      score: decoded?.['score'],
    },
  ]);
});

test('one line in is one line out, empty ones too, from a file as from a pipe', () => {
  const text = 'Le roi est âgé. La reine rêve.\n\nOui, oui.';
  const file = join(folder, 'text.txt');
  writeFileSync(file, text);
  const piped = translate(['--to', 'en'], text);
  assert.equal(piped.status, 0, piped.stderr);
  assert.deepEqual(
    piped.results.map((result) => [result['text'], result['from']]),
    text.split('\n').map((line) => [line, 'fra_Latn']),
  );
  assert.deepEqual([piped.results[1]?.['translation'], piped.results[1]?.['score']], ['', 0]);
  assert.deepEqual(translate(['--to', 'en', file], '').results, piped.results);
});

test('a paragraph is its sentences, joined', () => {
  const line = (text: string) => translate(['--from', 'fr', '--to', 'en'], text).results[0];
  const [one, two, both] = [line('Ab.'), line('Cd.'), line('Ab. Cd.')];
  const words = [one, two].map((result) => result?.['translation']);
  assert.equal(both?.['translation'], words.filter((text) => text !== '').join(' '));
  const mean = (Number(one?.['score']) + Number(two?.['score'])) / 2;
  assert.ok(Math.abs(Number(both?.['score']) - mean) < 1e-4); // float32, another batch
});

test('a sentence that is too long is an error that names its line; the others are translated', () => {
  const { status, stderr, results } = translate(
    ['--from', 'fr', '--to', 'en'],
    `abc\nAb. B${'b'.repeat(40)}\nabc\n`,
  );
  assert.equal(status, 1);
  assert.match(stderr, /translate: line 2: sentence 2: expected at most \d+ tokens, found 4\d/);
  assert.deepEqual(
    results.map(({ text }) => text),
    ['abc', 'abc'],
  );
  assert.deepEqual(results[0], results[1]);
});

test('languages that the model does not know, and a missing target, are wrong', () => {
  const check = (args: readonly string[], expected: number, pattern: RegExp) => {
    const { status, stderr } = runCli(['translate', ...args], 'Hello.\n');
    assert.equal(status, expected, stderr);
    assert.match(stderr, pattern);
  };
  check(['--model', model, '--to', 'de'], 1, /--to: expected eng_Latn, fra_Latn, found de/);
  check(['--model', model, '--to', 'en', '--from', 'de'], 1, /--from: expected eng_Latn/);
  check(['--to', 'Welsh'], 1, /--to: expected eng_Latn, .*found Welsh/);
  check([], 2, /--to is required/);
  check(['--to', 'en', '--beam', '0'], 2, /--beam/);
});

test('the built-in model says in English what is French, as far as it can', () => {
  const run = runCli(['translate', '--to', 'English'], 'Il pleut depuis trois jours.\n');
  assert.equal(run.status, 0, run.stderr);
  assert.equal(run.results[0]?.['from'], 'fra_Latn');
  assert.match(String(run.results[0]?.['translation']), /\w/);
});

test('languages lists all with their names, and says which the model knows', () => {
  const run = runCli(['languages', '--model', model]);
  assert.equal(run.status, 0, run.stderr);
  assert.deepEqual(
    run.results.map(({ code }) => code),
    sonarLanguages,
  );
  const known = run.results.filter(({ isInModel }) => isInModel);
  assert.deepEqual(known, [
    { code: 'eng_Latn', tag: 'en', name: 'English', autonym: 'English', isInModel: true },
    { code: 'fra_Latn', tag: 'fr', name: 'French', autonym: 'français', isInModel: true },
  ]);
  assert.equal(runCli(['languages', '--model', folder]).status, 1);
});

test('the server finds the language of each paragraph, unless the document states it', async () => {
  const server = await ServerProcess.start({ model: { name: model }, language: { target: 'en' } });
  const describeAt = async (uri: string, text: string, offset: number) => {
    await server.open(uri, 'markdown', text);
    const params = { place: { uri, offset } };
    const { source, target } = await server.connection.sendRequest(describeLanguage, params);
    return `${source?.code} ${source?.reason} ${target}`;
  };
  const text = 'Il pleut depuis trois jours.\n\nNobody goes out in such weather.\n';
  assert.equal(await describeAt('file:///a.md', text, 3), 'fra_Latn paragraph eng_Latn');
  assert.equal(await describeAt('file:///a.md', text, 40), 'eng_Latn paragraph eng_Latn');
  const stated = `---\nlang: fr\n---\n\n${text}`;
  const at = stated.indexOf('Nobody');
  assert.equal(await describeAt('file:///b.md', stated, at), 'fra_Latn frontMatter eng_Latn');

  const params = { uri: 'file:///b.md', text: 'Abc.', to: 'English' };
  const { sentences } = await server.connection.sendRequest(translateRequest, params);
  assert.deepEqual(sentences[0]?.from, { code: 'fra_Latn', reason: 'frontMatter' });
  const over = server.connection.sendRequest(translateRequest, { text: 'x'.repeat(60), to: 'en' });
  await assert.rejects(over, /sentence 1: expected at most \d+ tokens/);
  assert.equal(await server.stop(), 0);
});
