// Compiles the built-in model's checkpoint into dist/models, where the extension looks first.
// Does nothing when the compiled model is up to date.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const source = (file) => join(root, 'models', 'builtin', file);

const { status } = spawnSync(
  process.execPath,
  [
    join(root, 'dist', 'cli.js'),
    'compile',
    ...['--encoder', source('encoder.safetensors')],
    ...['--decoder', source('decoder.safetensors')],
    ...['--lcm', `base=${source('base.safetensors')}`],
    ...['--lcm', `two-tower=${source('two-tower.safetensors')}`],
    ...['--tokenizer', source('tokenizer.model')],
    ...['--config', source('config.json')],
    ...['--precision', 'int8'],
    ...['--out', join(root, 'dist', 'models', 'thoughtline-1')],
  ],
  { stdio: ['ignore', 'ignore', 'inherit'] },
);
process.exitCode = status ?? 1;
