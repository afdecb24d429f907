import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { runCli } from '../support/runCli.ts';

const folder = mkdtempSync(join(tmpdir(), 'thoughtline-cli-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const sample = readFileSync('samples/harbour.md', 'utf8');
const builtIn = (name: string) => join('models', 'builtin', name);

function checkDone(args: readonly string[], input = '') {
  const run = runCli(args, input);
  assert.equal(run.status, 0, run.stderr);
  return run.results;
}

function checkFailure(status: number, args: readonly string[], input: string, pattern: RegExp) {
  const run = runCli(args, input);
  assert.equal(run.status, status, run.stderr);
  assert.match(run.stderr, pattern);
  return run;
}

function embeddingOf(result: Record<string, unknown> | undefined): number[] {
  const embedding = result?.['embedding'];
  assert.ok(Array.isArray(embedding));
  return embedding.map(Number);
}

function cosine(a: readonly number[], b: readonly number[]): number {
  const dot = (x: readonly number[], y: readonly number[]) =>
    x.reduce((sum, value, i) => sum + value * (y[i] ?? 0), 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

test('encode gives one embedding a line, in order, whatever stands around it', () => {
  const sentences = ['The cat sat on the mat.', '', 'It rained for three days and nights.', 'No.'];
  const together = checkDone(['encode'], `${sentences.join('\n')}\n`);
  assert.deepEqual(
    together.map(({ text }) => text),
    sentences,
  );
  const [alone] = checkDone(['encode', '--lang', 'eng_Latn'], sentences[2]);
  assert.ok(cosine(embeddingOf(alone), embeddingOf(together[2])) > 0.99999);
});

test('decode writes what encode read, well enough to be recognised', () => {
  const encoded = checkDone(['encode'], 'The old man lived by the sea.\n');
  const lines = encoded.map(({ embedding }) => JSON.stringify({ embedding })).join('\n');
  for (const beam of ['1', '5']) {
    const [decoded] = checkDone(['decode', '--beam', beam], lines);
    assert.match(String(decoded?.['text']), /\S/);
    assert.ok(Number(decoded?.['score']) < 0);
  }
});

test('decode reports a bad line with its number and still decodes the others', () => {
  const good = JSON.stringify({ embedding: embeddingOf(checkDone(['encode'], 'Yes.')[0]) });
  const input = [good, 'not json', '{"embedding":[1,2]}', '{"embedding":"x"}', good].join('\n');
  const run = checkFailure(1, ['decode'], input, /line 2: expected JSON/);
  assert.match(run.stderr, /line 3: embedding: expected \d+ numbers, found 2/);
  assert.match(run.stderr, /line 4: expected \{"embedding"/);
  assert.equal(run.results.length, 2);
});

test('next gives the same candidates for the same seed, and others for another', () => {
  const args = ['next', '--count', '2', '--format', 'markdown'];
  const once = checkDone([...args, '--seed', '5'], sample);
  assert.equal(once.length, 2);
  assert.deepEqual(checkDone([...args, '--seed', '5'], sample), once);
  assert.notDeepEqual(checkDone([...args, '--seed', '6'], sample), once);
});

test('next reads a file, finds its format, and takes every concept model', () => {
  const { lcm: conceptModels } = JSON.parse(readFileSync(builtIn('config.json'), 'utf8'));
  for (const lcm of ['auto', ...Object.keys(conceptModels)]) {
    const results = checkDone(['next', '--lcm', lcm, '--steps', '4', 'samples/harbour.md']);
    assert.equal(results.length, 3);
  }
});

test('next goes on for several sentences, and the first is the first candidate', () => {
  const args = ['next', '--lcm', 'base', '--seed', '3', 'samples/harbour.md'];
  const written = checkDone([...args, '--sentences', '2']);
  assert.ok(written.length >= 1 && written.length <= 2);
  assert.deepEqual(written[0], checkDone([...args, '--count', '1'])[0]);
  assert.deepEqual(checkDone([...args, '--sentences', '1']), written.slice(0, 1));
});

test('next of a document without sentences gives nothing', () => {
  assert.deepEqual(checkDone(['next', '--format', 'markdown'], '# Title\n'), []);
});

test('split gives offsets into the input', () => {
  const results = checkDone(['split', '--format', 'markdown'], sample);
  assert.ok(results.length >= 15);
  for (const { text, start, end } of results) {
    assert.equal(sample.slice(Number(start), Number(end)), text);
  }
  assert.ok(results.every(({ text }) => !/title:|04:12|#/.test(String(text))));
});

test('tokenize gives ids and pieces, plain and as SONAR numbers them', () => {
  const args = ['tokenize', '--tokenizer', builtIn('tokenizer.model')];
  const [plain] = checkDone(args, 'Hello world!\n');
  const [sonar] = checkDone([...args, '--sonar'], 'Hello world!\n');
  const ids = plain?.['ids'];
  assert.ok(Array.isArray(ids) && Array.isArray(sonar?.['ids']));
  assert.deepEqual(
    sonar['ids'].slice(1, -1),
    ids.map((id: number) => id + 1),
  );
  assert.equal(sonar['ids'].at(-1), 3);
  const pieces = plain?.['pieces'];
  assert.ok(Array.isArray(pieces));
  assert.equal(pieces.join(''), '▁Hello▁world!');
});

function compileArgs(out: string, changes: Record<string, string> = {}): string[] {
  const parts: Record<string, string> = {
    encoder: builtIn('encoder.safetensors'),
    decoder: builtIn('decoder.safetensors'),
    tokenizer: builtIn('tokenizer.model'),
    config: builtIn('config.json'),
    ...changes,
  };
  const named = Object.entries(parts).flatMap(([name, file]) => [`--${name}`, file]);
  return ['compile', ...named, '--out', join(folder, out)];
}

test('compile makes a model that --model runs, in fp32 close to int8', () => {
  const lcm = ['--lcm', `base=${builtIn('base.safetensors')}`];
  checkDone([...compileArgs('fp32'), ...lcm, '--precision', 'fp32']);
  const model = ['--model', join(folder, 'fp32')];
  const [fp32] = checkDone(['encode', ...model], 'The sea was calm.\n');
  const [int8] = checkDone(['encode'], 'The sea was calm.\n');
  assert.ok(cosine(embeddingOf(fp32), embeddingOf(int8)) > 0.99);
  assert.equal(checkDone(['next', ...model, '--count', '1'], 'The sea was calm.').length, 1);
});

test('compile for some languages keeps the tokens of their scripts, by whatever name', () => {
  // The built-in vocabulary has Latin and Han; for Russian only what belongs to no script is left.
  const config = join(folder, 'three-scripts.json');
  const { tokenizer, ...others } = JSON.parse(readFileSync(builtIn('config.json'), 'utf8'));
  const langs = [...tokenizer.langs.slice(0, -1), 'rus_Cyrl'];
  writeFileSync(config, JSON.stringify({ ...others, tokenizer: { langs } }));
  const compileFor = (lang: string, changes = {}) => {
    const [manifest] = checkDone([...compileArgs(lang, changes), '--vocabulary-langs', lang]);
    const { shortlist, vocabSize, step } = Object(manifest?.['decoder']);
    const kept = shortlist.file.sizeBytes / 4 / vocabSize;
    return { langs: shortlist.langs, kept, sizeBytes: step.weights.sizeBytes };
  };
  const english = compileFor('English');
  const russian = compileFor('ru', { config });
  assert.deepEqual([english.langs, russian.langs], [['eng_Latn'], ['rus_Cyrl']]);
  assert.ok(english.kept > 0.8 && english.kept < 0.95, `${english.kept}`);
  assert.ok(russian.kept > 0 && russian.kept < 0.1, `${russian.kept}`);
  assert.ok(russian.sizeBytes < 0.7 * english.sizeBytes, `${russian.sizeBytes} bytes`);

  const [encoded] = checkDone(['encode'], 'The old man lived by the sea.\n');
  const line = JSON.stringify({ embedding: embeddingOf(encoded) });
  const model = ['decode', '--lang', 'ru', '--max-tokens', '16', '--model', join(folder, 'ru')];
  const [decoded] = checkDone(model, line);
  assert.doesNotMatch(String(decoded?.['text']), /\p{Letter}/u);
  const welsh = [...compileArgs('welsh'), '--vocabulary-langs', 'en,cy'];
  checkFailure(1, welsh, '', /vocabulary language cym_Latn: expected one of the model's/);
});

test('compile names what is wrong with a checkpoint, and leaves nothing behind', () => {
  const encoder = readFileSync(builtIn('encoder.safetensors'));
  const truncated = join(folder, 'truncated.safetensors');
  writeFileSync(truncated, encoder.subarray(0, encoder.length / 2));
  checkFailure(1, compileArgs('broken', { encoder: truncated }), '', /truncated\.safetensors/);
  const swapped = { encoder: builtIn('decoder.safetensors') };
  checkFailure(1, compileArgs('broken', swapped), '', /expected the weights of an encoder/);
  const garbage = join(folder, 'config.json');
  writeFileSync(garbage, '{"encoder":');
  checkFailure(1, compileArgs('broken', { config: garbage }), '', /config\.json/);
  checkFailure(1, ['encode', '--model', join(folder, 'broken')], 'Yes.', /broken/);
});

test('compile makes an add-on from concept models alone, each with its configuration', () => {
  const { lcm } = JSON.parse(readFileSync(builtIn('config.json'), 'utf8'));
  const config = join(folder, 'base.json');
  writeFileSync(config, JSON.stringify(lcm.base));
  const out = join(folder, 'add-on');
  const args = [
    ...['compile', '--lcm', `mine=${builtIn('base.safetensors')},config=${config}`],
    ...['--space', 'thoughtline-1', '--name', 'more', '--precision', 'lcm=int4', '--out', out],
  ];
  const [manifest] = checkDone(args);
  assert.deepEqual(
    ['kind', 'name', 'space', 'embeddingDim'].map((key) => manifest?.[key]),
    ['conceptModels', 'more', 'thoughtline-1', 384],
  );
  const conceptModels = manifest?.['conceptModels'];
  assert.ok(Array.isArray(conceptModels));
  assert.deepEqual(
    conceptModels.map(({ name, precision }) => [name, precision]),
    [['mine', 'int4']],
  );
  const again = runCli(args);
  assert.equal(again.status, 0);
  assert.deepEqual(again.results, [manifest]);
  assert.ok(!again.stderr.includes('%'), 'nothing is compiled a second time');
  // The weights of this one are of no registered size.
  const bare = ['compile', '--lcm', `mine=${builtIn('base.safetensors')}`, '--out', `${out}-bare`];
  checkFailure(1, bare, '', /base\.safetensors: expected the sizes .*--config.*--arch/);
  checkFailure(
    1,
    [...bare, '--arch', 'mine=base_lcm_1_6B'],
    '',
    /pre_linear\.weight: expected \[2048, 1024\], found \[256, 384\]/,
  );
  checkFailure(1, [...bare, '--arch', 'mine=huge'], '', /arch: expected toy_base_lcm or .*huge/);
  checkFailure(1, [...bare, '--arch', 'base=huge'], '', /arch of base: expected one of .*mine/);
});

test('models lists the built-in model', () => {
  const results = checkDone(['models']);
  assert.ok(results.some(({ name }) => name === 'thoughtline-1'));
});

test('show tells a person what may come next', () => {
  const { status, stdout } = runCli(['show', 'samples/harbour.md']);
  assert.equal(status, 0);
  assert.match(stdout, /→ \S+/);
  assert.match(stdout, /Nearest in meaning/);
});

test('every command explains itself', () => {
  const { status, stdout } = runCli(['--help']);
  assert.equal(status, 0);
  const names = [...stdout.matchAll(/^ {2}([a-z]+) {2,}/gm)].map(([, name]) => String(name));
  assert.ok(names.length >= 9);
  for (const name of names) {
    const help = runCli([name, '--help']);
    assert.equal(help.status, 0);
    assert.match(help.stdout, new RegExp(`^Usage: thoughtline ${name}`));
  }
});

for (const [args, pattern] of [
  [[], /expected a command/],
  [['fly'], /unknown command fly/],
  [['encode', '--colour'], /--colour/],
  [['encode', 'file.txt'], /unexpected argument file\.txt/],
  [['next', '--count', '0'], /--count: expected a whole number from 1 to 64, found 0/],
  [['next', '--sentences', '0'], /--sentences: expected a whole number from 1 to 1000, found 0/],
  [['next', '--noise', 'loud'], /--noise: expected a number/],
  [['split', '--format', 'word'], /--format: expected markdown, latex, plaintext, found word/],
  [['tokenize'], /--tokenizer is required/],
  [['compile', '--out', 'x'], /--encoder, --decoder and --tokenizer, or --lcm, are required/],
  [['compile', '--encoder', 'x', '--out', 'x'], /--decoder is required/],
  [['compile', '--lcm', 'a=b'], /--out is required/],
  [['compile', '--lcm', 'a', '--out', 'x'], /--lcm: expected NAME=FILE, found a/],
  [['compile', '--lcm', 'a=b', '--lcm', 'a=c', '--out', 'x'], /--lcm: a is given twice/],
  [['compile', '--lcm', 'a=b', '--arch', 'a', '--out', 'x'], /--arch: expected PART=NAME/],
  [['compile', '--lcm', 'a=b', '--precision', 'int2', '--out', 'x'], /expected fp32.*found int2/],
  [['compile', '--lcm', 'a=b', '--precision', 'lcm=8', '--out', 'x'], /expected fp32.*found 8/],
  [['compile', '--lcm', 'a=b', '--precision', 'a=int8', '--out', 'x'], /encoder.*lcm, found a/],
] as const) {
  test(`wrong use ends with status 2: ${args.join(' ')}`, () => {
    checkFailure(2, args, '', pattern);
  });
}

for (const [args, pattern] of [
  [['encode', '--lang', 'xxx_Latn'], /--lang: expected eng_Latn, .*found xxx_Latn/],
  [['encode', '--model', 'no/such/folder'], /no\/such\/folder/],
  [['next', '--lcm', 'nine-tower'], /--lcm: expected auto, .*base.*, found nine-tower/],
  [['split', 'no-such-file.md'], /no-such-file\.md/],
  [['tokenize', '--tokenizer', 'package.json'], /package\.json/],
  [['tokenize', '--tokenizer', builtIn('tokenizer.model'), '--sonar', '--lang', 'x'], /x/],
] as const) {
  test(`what cannot be done ends with status 1: ${args.join(' ')}`, () => {
    checkFailure(1, args, 'Yes.\n', pattern);
  });
}

test('devices tells what each device is worth, and why one cannot be used', () => {
  const found = checkDone(['devices']);
  const cpu = found.at(-1);
  assert.deepEqual([cpu?.['device'], cpu?.['works'], cpu?.['speed']], ['cpu', true, 1]);
  for (const { works, reason, speed } of found) {
    assert.ok(typeof reason === 'string' && reason !== '');
    assert.equal(typeof speed === 'number', works);
  }
});

test('a device that this platform has not is replaced by the processor, with a message', () => {
  const device = process.platform === 'darwin' ? 'directml' : 'coreml';
  const run = runCli(['encode', '--device', device], 'The ship came in.\n');
  assert.equal(run.status, 0, run.stderr);
  assert.match(run.stderr, /: not available on /);
  assert.equal(run.results.length, 1);
  checkFailure(2, ['encode', '--device', 'abacus'], '', /--device: expected auto, cpu/);
});
