// Bundles the unit tests with esbuild and runs them with Node's test runner.
// `node test/run.mjs words…` keeps the test files whose path contains every word.
import { globSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const words = process.argv.slice(2);
const files = globSync('test/**/*.test.ts', { cwd: root })
  .filter((f) => !f.startsWith('test/workbench'))
  .filter((f) => words.every((w) => f.includes(w)));
const out = join(root, 'out', `test-${process.pid}`);
mkdirSync(out, { recursive: true });
await build({
  entryPoints: files.map((f) => join(root, f)),
  outdir: out,
  outbase: join(root, 'test'),
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  sourcemap: 'inline',
  external: ['onnxruntime-node', 'sentencepiece-js', 'vscode', 'esbuild'],
  logLevel: 'warning',
});
const bundles = files.map((f) => join(out, f.replace(/^test\//, '').replace(/\.ts$/, '.js')));
const stream = run({ files: bundles, concurrency: 2 });
stream.on('test:fail', () => {
  process.exitCode = 1;
});
stream.compose(spec).pipe(process.stdout);
stream.on('end', () => rmSync(out, { recursive: true, force: true }));
