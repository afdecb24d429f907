// Measures the compiled built-in model on held-out text: `npm run evaluate`, `-- --help` tells more.
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
process.chdir(root);

// As it ships.
const productionBuild = 'node esbuild.mjs --production && node scripts/buildModel.mjs';
const built = spawnSync(productionBuild, { shell: true, stdio: ['ignore', 'ignore', 'inherit'] });
if (built.status !== 0) process.exit(1);

const out = join(root, 'out', `evaluate-${process.pid}`);
mkdirSync(out, { recursive: true });
process.once('exit', () => rmSync(out, { recursive: true, force: true }));
await build({
  entryPoints: [join('test', 'evaluate', 'main.ts')],
  outdir: out,
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  external: ['onnxruntime-node'],
  logLevel: 'warning',
});
const { status } = spawnSync(process.execPath, [join(out, 'main.js'), ...process.argv.slice(2)], {
  stdio: 'inherit',
});
process.exitCode = status ?? 1;
