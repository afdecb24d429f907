// Compiles the built-in model's checkpoint into dist/models, where the extension looks first.
// Does nothing when the compiled model is up to date.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { builtInSources } from './builtInModel.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

const { status } = spawnSync(
  process.execPath,
  [
    join(root, 'dist', 'cli.js'),
    'compile',
    ...builtInSources(),
    ...['--precision', 'encoder=int8,decoder=int8,lcm=int4'],
    ...['--out', join(root, 'dist', 'models', 'thoughtline-1')],
  ],
  { stdio: ['ignore', 'ignore', 'inherit'] },
);
process.exitCode = status ?? 1;
