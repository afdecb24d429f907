import { rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

/** Imports a TypeScript file of the harness, as a bundle beside the checkout's other build products. */
export async function importBundled(source) {
  const folder = join(process.cwd(), 'out', `bundled-${process.pid}`);
  const outfile = join(folder, basename(source).replace(/\.ts$/, '.cjs'));
  const external = ['playwright-core'];
  await build({ entryPoints: [source], outfile, external, bundle: true, platform: 'node' });
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return import(pathToFileURL(outfile).href);
}
