// Every bundle of the product, in one list. `--watch` and `--production` are the only flags.
import { context } from 'esbuild';

const watch = process.argv.includes('--watch');
const production = process.argv.includes('--production');

const node = {
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  minify: production,
  keepNames: true,
  sourcemap: production ? false : 'linked',
  logLevel: 'warning',
};

const bundles = [
  {
    ...node,
    entryPoints: ['src/extension.ts'],
    outfile: 'dist/extension.js',
    external: ['vscode'],
  },
  {
    ...node,
    entryPoints: {
      server: 'server/main.ts',
      inferenceWorker: 'server/inference/worker.ts',
      compileWorker: 'server/compiler/compileWorker.ts',
      deviceProbe: 'server/inference/deviceProbe.ts',
      cli: 'server/cli.ts',
    },
    outdir: 'dist',
    external: ['onnxruntime-node'],
  },
];

for (const bundle of bundles) {
  const build = await context(bundle);
  if (watch) {
    await build.watch();
  } else {
    await build.rebuild();
    await build.dispose();
  }
}
