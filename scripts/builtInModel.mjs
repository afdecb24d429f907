// The checkpoints of the built-in model: which there are, its configuration says.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = join(dirname(fileURLToPath(import.meta.url)), '..', 'models', 'builtin');

/** Returns the path of one of its files. */
export function builtInFile(name) {
  return join(folder, name);
}

/** Returns the names of its concept models, best first. */
export function builtInConceptModels() {
  return Object.keys(builtInConfig().lcm);
}

/** Returns the options of `thoughtline compile` that name all its files. */
export function builtInSources() {
  return [
    ...['--encoder', builtInFile('encoder.safetensors')],
    ...['--decoder', builtInFile('decoder.safetensors')],
    ...['entropy', 'directions']
      .filter((part) => part in builtInConfig())
      .flatMap((part) => [`--${part}`, builtInFile(`${part}.safetensors`)]),
    ...builtInConceptModels().flatMap((name) => [
      '--lcm',
      `${name}=${builtInFile(`${name}.safetensors`)}`,
    ]),
    ...['--tokenizer', builtInFile('tokenizer.model')],
    ...['--config', builtInFile('config.json')],
  ];
}

function builtInConfig() {
  return JSON.parse(readFileSync(builtInFile('config.json'), 'utf8'));
}
