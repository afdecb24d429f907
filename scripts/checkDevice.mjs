// Compares the built-in model on a device with the same on the processor, for every precision that
// the device runs, and prints one JSON line per figure: `npm run check:device -- cuda`.
// The exit status is 0 if at least one precision ran and every number was right.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { builtInConceptModels, builtInSources } from './builtInModel.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const folder = join(root, 'out', 'check-device');
const device = process.argv[2];
const runs = process.argv[3] ?? '10';
if (device === undefined) {
  console.error('Usage: npm run check:device -- DEVICE [RUNS]');
  process.exit(2);
}

/** The least cosine that is right. Products of few bits differ between devices. */
const precisions = { fp32: 0.9999, fp16: 0.999, int8: 0.99, int4: 0.99 };

let isRight = true;
let ran = 0;
for (const [precision, leastCosine] of Object.entries(precisions)) {
  const model = compile(precision);
  const verdict = cli(['devices', '--model', model]).find((found) => found.device === device);
  tell(precision, 'verdict', verdict ?? { works: false, reason: 'unknown here' });
  if (verdict?.works !== true) continue;
  ran++;
  compare(precision, model, leastCosine);
  for (const place of ['cpu', device]) {
    for (const { name, value, unit } of cli(['bench', ...at(model, place), '--runs', runs])) {
      tell(precision, `bench ${name}`, { device: place, value, unit });
    }
  }
}
process.exitCode = ran > 0 && isRight ? 0 : 1;

function compare(precision, model, leastCosine) {
  const sample = join(root, 'samples', 'harbour.md');
  const texts = cli(['split', sample]).map(({ text }) => text);
  const lines = `${texts.map((text) => text.replaceAll('\n', ' ')).join('\n')}\n`;
  const [onCpu, onDevice] = both((place) => cli(['encode', ...at(model, place)], lines));
  check(precision, 'encode', leastCosine, onDevice, onCpu);

  const embeddings = onCpu.map(({ embedding }) => JSON.stringify({ embedding })).join('\n');
  for (const beam of ['1', '5']) {
    const decode = (place) => cli(['decode', ...at(model, place), '--beam', beam], embeddings);
    const [expected, found] = both(decode);
    const same = found.filter(({ text }, i) => text === expected[i]?.text).length;
    tell(precision, `decode beam ${beam}`, { same, of: expected.length });
  }

  for (const lcm of builtInConceptModels()) {
    const next = (place) => cli(['next', ...at(model, place), '--lcm', lcm, sample]);
    const [expected, found] = both(next);
    const wanted = expected.map(({ text }) => text); // near ties may change places
    tell(precision, `next ${lcm}`, {
      same: found.filter(({ text }) => wanted.includes(text)).length,
      of: expected.length,
    });
  }
}

function check(precision, name, leastCosine, found, expected) {
  const cosines = found.map(({ embedding }, i) => cosine(embedding, expected[i].embedding));
  const least = Math.min(...cosines);
  if (!(found.length === expected.length && least >= leastCosine)) isRight = false;
  tell(precision, name, { sentences: found.length, leastCosine: least });
}

function both(run) {
  return [run('cpu'), run(device)];
}

function at(model, place) {
  return ['--model', model, '--device', place];
}

function tell(precision, name, figure) {
  console.log(JSON.stringify({ checked: device, precision, name, ...figure }));
}

function compile(precision) {
  const out = join(folder, precision);
  mkdirSync(folder, { recursive: true });
  cli(['compile', ...builtInSources(), '--precision', precision, '--out', out]);
  return out;
}

/** Runs a command and returns its results; stops when it fails. */
function cli(args, input = '') {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, 'dist', 'cli.js'), ...args],
    { input, encoding: 'utf8', maxBuffer: 2 ** 28 },
  );
  if (status !== 0) {
    console.error(stderr);
    process.exit(1);
  }
  return stdout
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line));
}

function cosine(a, b) {
  const dot = (x, y) => x.reduce((sum, value, i) => sum + value * y[i], 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}
