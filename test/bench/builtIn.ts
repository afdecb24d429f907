import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Precision } from '../../server/model/manifest.ts';

/** Compiles the built-in model's encoder and decoder into `out`. */
export function compileBuiltIn(precision: Precision, out: string): string {
  const source = (name: string) => join('models', 'builtin', name);
  const { status } = spawnSync(
    process.execPath,
    [
      ...['dist/cli.js', 'compile', '--precision', precision, '--out', out],
      ...['--encoder', source('encoder.safetensors'), '--decoder', source('decoder.safetensors')],
      ...['--tokenizer', source('tokenizer.model'), '--config', source('config.json')],
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  if (status !== 0) throw new Error(`compile: expected status 0, found ${status}`);
  return out;
}

/**
 * Returns sentences of the file that THOUGHTLINE_SENTENCES names, one a line
 * (`python -m training.held_out`); without it made-up ones.
 */
export function readSentences(count: number): string[] {
  const file = process.env['THOUGHTLINE_SENTENCES'];
  if (file !== undefined) return readFileSync(file, 'utf8').trim().split('\n').slice(0, count);
  const who = ['The teacher', 'A young woman', 'The old captain', 'My brother', 'Nobody'];
  const did = ['waited for', 'wrote about', 'remembered', 'looked for', 'talked about'];
  const what = ['the harbour', 'an old house', 'the market', 'a small garden', 'the river'];
  return Array.from({ length: count }, (_, i) => {
    const pick = (words: readonly string[], step: number) => words[Math.floor(i / step) % 5];
    return `${pick(who, 1)} ${pick(did, 5)} ${pick(what, 25)} for ${i + 1} days and nights.`;
  });
}
