// Runs the benchmarks: each prints one JSON line per figure. `npm run bench -- words…` narrows.
// Those in fullSize/ take many gigabytes and minutes: they run only when a word names the folder.
// Figures that belong together are measured side by side in one run, so that ratios are fair.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { bringWorkbench } from '../workbench/requirements.mjs';
import { installTransformersJs } from './rival/install.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
process.chdir(root);

// As it ships.
const productionBuild = 'node esbuild.mjs --production && node scripts/buildModel.mjs';
const built = spawnSync(productionBuild, { shell: true, stdio: ['ignore', 'ignore', 'inherit'] });
if (built.status !== 0) process.exit(1);

const words = process.argv.slice(2);
const isAskedFor = (name) =>
  !name.startsWith('fullSize/') || words.some((w) => w.includes('fullSize'));
const names = readdirSync('test/bench', { recursive: true })
  .map((name) => name.split(sep).join('/'))
  .filter((name) => name.endsWith('.bench.ts') && words.every((word) => name.includes(word)))
  .filter(isAskedFor)
  .sort();
const out = join(root, 'out', `bench-${process.pid}`);
mkdirSync(out, { recursive: true });
process.once('exit', () => rmSync(out, { recursive: true, force: true }));
await build({
  entryPoints: [
    ...names,
    'host/index.ts',
    'host/session.ts',
    'watchedServer.ts',
    'fullSize/tellPeak.ts',
  ].map((name) => join('test', 'bench', name)),
  outdir: out,
  outbase: join('test', 'bench'),
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  external: ['onnxruntime-node', 'playwright-core', 'vscode'],
  logLevel: 'warning',
});

const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}, Node ${process.version}`;
console.log(JSON.stringify({ name: 'machine', value: machine, unit: '' }));
const [load = 0] = loadavg();
console.log(JSON.stringify({ name: 'load before', value: Number(load.toPrecision(3)), unit: '' }));
let failed = false;
for (const name of names) {
  const obstacle = prepare(name);
  if (obstacle) {
    console.error(`NOT RUN: ${name}, because ${obstacle.reason}`);
    continue;
  }
  const bundle = join(out, name.replace(/\.ts$/, '.js'));
  const { status } = spawnSync(process.execPath, [bundle], { stdio: 'inherit' });
  failed ||= status !== 0;
}
process.exitCode = failed ? 1 : 0;

/** Brings what a benchmark needs besides the product. Returns why it cannot run here, or nothing. */
function prepare(name) {
  if (name.startsWith('extensionHost')) return bringWorkbench();
  if (name.startsWith('fullSize/transformersJs')) return bringRival();
  return undefined;
}

function bringRival() {
  const folder = join(process.env.THOUGHTLINE_BENCH_FOLDER ?? join('out', 'fullSize'), 'rival');
  if (!existsSync(join(folder, 'config.json'))) {
    return { reason: `there is no model for it: python test/bench/rival/make.py ${folder}` };
  }
  process.env.THOUGHTLINE_RIVAL = installTransformersJs(console.error);
  return undefined;
}
