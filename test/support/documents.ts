import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ProseFormat } from '../../server/text/proseBlock.ts';

/** Small documents of each format, with most of what prose has to be told from. */
export const documents: readonly (readonly [ProseFormat, string])[] = [
  ['markdown', read('garden.md')],
  ['latex', read('tides.tex')],
  ['plaintext', read('letter.txt')],
];

function read(name: string): string {
  return readFileSync(join(process.cwd(), 'test/support/documents', name), 'utf8');
}
