// Runs the tests: units, the built server, models on a software graphics card, then the product in a
// real VS Code workbench.
//
//   node test/run.mjs [words…]   the test files whose path contains every word; all without words
//   --electron                   the extension host's suite in a desktop VS Code instead
//   --vscode-executable FILE     that VS Code; downloaded without this or $VSCODE_EXECUTABLE
//
// The last line is `N passed, N failed`; the exit status is 0 only if something passed and nothing failed.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join, sep } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { bringVulkan } from './webgpu/requirements.mjs';
import { bringWorkbench } from './workbench/requirements.mjs';

const endSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
const root = join(dirname(fileURLToPath(import.meta.url)), '..');
process.chdir(root);
await runOnTheEditorsNode();

const { values: options, positionals: words } = parseArgs({
  allowPositionals: true,
  options: { electron: { type: 'boolean' }, 'vscode-executable': { type: 'string' } },
});
if (options.electron) process.env.THOUGHTLINE_WORKBENCH = 'electron';
if (options['vscode-executable']) process.env.VSCODE_EXECUTABLE = options['vscode-executable'];

/**
 * The suites, cheapest first. `prepare` returns why a suite cannot run here, or nothing; where that
 * is `fatal`, its files count as failed.
 * `concurrency` counts test files: a workbench wants the machine for itself.
 */
const suites = [
  {
    name: 'unit',
    belongs: (file) => !/^test\/(server|webgpu|workbench|models)\//.test(file),
    concurrency: availableParallelism(),
  },
  {
    name: 'server',
    belongs: (file) => file.startsWith('test/server/'),
    concurrency: 1,
    prepare: buildProduct,
  },
  {
    name: 'webgpu',
    belongs: (file) => file.startsWith('test/webgpu/'),
    concurrency: 1,
    prepare: () => bringVulkan() ?? buildProduct(),
  },
  {
    name: 'models',
    belongs: (file) => file.startsWith('test/models/'),
    concurrency: 1,
    prepare: () => findOfficialWeights() ?? buildProduct(),
  },
  {
    name: 'workbench',
    belongs: (file) => file.startsWith('test/workbench/'),
    concurrency: 1,
    prepare: () => (options.electron ? undefined : bringWorkbench()) ?? buildProduct(),
  },
];

const files = options.electron ? ['test/workbench/extensionHost.test.ts'] : testFiles();
/** Far above what any file takes: a hanging test becomes a failure instead of a hanging run. */
const fileTimeoutMs = 10 * 60_000;

const bundles = join(root, 'out', `test-${process.pid}`);
const stop = new AbortController();
for (const signal of endSignals) process.once(signal, () => stop.abort());
process.once('exit', () => rmSync(bundles, { recursive: true, force: true }));

let isBuilt = false;
let passed = 0;
let failed = 0;
const notRun = [];
for (const suite of suites) {
  const mine = files.filter(suite.belongs);
  if (mine.length === 0 || stop.signal.aborted) continue;
  console.log(`\n— ${suite.name} tests: ${mine.length} ${mine.length === 1 ? 'file' : 'files'}`);
  const obstacle = suite.prepare?.() ?? (await runFiles(mine, suite.concurrency));
  if (obstacle === undefined) continue;
  notRun.push({ suite, files: mine, reason: obstacle.reason });
  if (obstacle.fatal) failed += mine.length;
}

for (const { suite, files: left, reason } of notRun) {
  console.log(`\nNOT RUN: the ${suite.name} tests, because ${reason}`);
  for (const file of left) console.log(`  ${file}`);
}
if (passed + failed === 0) console.log(`\nNo test was run: ${words.join(' ')}`);
const isGood = passed > 0 && failed === 0 && !stop.signal.aborted;
process.stdout.write(`\n${passed} passed, ${failed} failed\n`, () => process.exit(isGood ? 0 : 1));

/** Goes on in the Node of the development dependency when this is another. */
async function runOnTheEditorsNode() {
  const name = process.platform === 'win32' ? 'node.exe' : 'node';
  const editorsNode = join(root, 'node_modules', 'node', 'bin', name);
  if (!existsSync(editorsNode) || process.env.THOUGHTLINE_EDITORS_NODE) return;
  if (process.execPath === editorsNode) return;
  const env = { ...process.env, THOUGHTLINE_EDITORS_NODE: '1' };
  const child = spawn(editorsNode, process.argv.slice(1), { env, stdio: 'inherit' });
  for (const signal of endSignals) process.on(signal, () => child.kill(signal));
  const [status] = await once(child, 'exit');
  process.exit(status ?? 1);
}

function testFiles() {
  return readdirSync('test', { recursive: true, encoding: 'utf8' })
    .map((name) => join('test', name).split(sep).join('/'))
    .filter((file) => file.endsWith('.test.ts') && words.every((word) => file.includes(word)))
    .sort();
}

/** The official weights may be had and used, but not shipped: who has them says where they lie. */
function findOfficialWeights() {
  const folder = process.env.THOUGHTLINE_MODELS;
  if (folder && existsSync(join(folder, 'sonar_text_encoder.pt'))) return undefined;
  return { reason: 'THOUGHTLINE_MODELS names no folder with the official weights' };
}

/** Builds what ships, once and in the words of package.json. */
function buildProduct() {
  isBuilt ||= spawnSync('npm run build', { shell: true, stdio: 'inherit' }).status === 0;
  return isBuilt ? undefined : { reason: '`npm run build` failed', fatal: true };
}

/** Bundles test files, each with all that it imports of ours; the mirror of `test` lies in `bundles`. */
async function bundle(sources) {
  const forWorkbench = sources.some((file) => file.startsWith('test/workbench/'));
  const hostSuite = readdirSync('test/workbench/suite').map(
    (name) => `test/workbench/suite/${name}`,
  );
  await build({
    entryPoints: forWorkbench ? [...sources, ...hostSuite] : sources,
    outdir: bundles,
    outbase: 'test',
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    sourcemap: 'inline',
    external: [
      '@vscode/test-electron',
      'esbuild',
      'mocha',
      'onnxruntime-node',
      'playwright-core',
      'sentencepiece-js',
      'vscode',
    ],
    logLevel: 'warning',
  });
  return sources.map((file) => join(bundles, file.slice('test/'.length).replace(/\.ts$/, '.js')));
}

/** Runs test files, each in its own process, and counts; returns why they could not be run, if so. */
async function runFiles(sources, concurrency) {
  let compiled;
  try {
    compiled = await bundle(sources);
  } catch {
    // esbuild has printed which import of which file is wrong.
    return { reason: 'they could not be bundled', fatal: true };
  }
  const options = { files: compiled, concurrency, timeout: fileTimeoutMs, signal: stop.signal };
  const results = run(options);
  results.on('test:summary', ({ file, counts }) => {
    if (file) return;
    passed += counts.passed;
    failed += counts.failed + counts.cancelled;
  });
  results.on('test:pass', ({ name }) => {
    if (!compiled.includes(name)) return;
    // Node counts a file without tests as one that passed.
    console.log(`No test in ${sources[compiled.indexOf(name)]}`);
    passed--;
    failed++;
  });
  for await (const chunk of results.compose(spec)) process.stdout.write(chunk);
  return undefined;
}
