import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sentencePieceFolder } from './sentencePieceModels.ts';

/** First and last code points that random text is drawn from, one range at a time. */
const ranges: readonly (readonly [number, number])[] = [
  [0x0000, 0x00ff], // controls, ASCII, Latin-1
  [0x0020, 0x007e],
  [0x0100, 0x024f], // Latin
  [0x0300, 0x036f], // combining marks
  [0x0370, 0x052f], // Greek, Cyrillic
  [0x0531, 0x05f4], // Armenian, Hebrew
  [0x0600, 0x06ff], // Arabic
  [0x0900, 0x0d7f], // Indic scripts
  [0x0e00, 0x0fff], // Thai, Lao, Tibetan
  [0x1000, 0x10ff], // Burmese, Georgian
  [0x1100, 0x11ff], // Hangul, decomposed
  [0x1200, 0x137f], // Ethiopic
  [0x1e00, 0x1fff], // Latin and Greek with accents
  [0x2000, 0x206f], // spaces, zero width, directions
  [0x2070, 0x2bff], // symbols
  [0x3000, 0x33ff], // kana, squared CJK
  [0x4e00, 0x9fff],
  [0xac00, 0xd7a3], // Hangul
  [0xf900, 0xfdff], // compatibility forms
  [0xfe00, 0xffff], // variation selectors, full width
  [0x10000, 0x1ffff],
  [0x20000, 0x2fa1f],
];

/** What random text is strewn with. */
const fragments = [
  ' ',
  '  ',
  '\u2581',
  '\u3000',
  '\u00a0',
  '\u200d',
  '\t',
  '\u0301',
  '\u3099',
  'the ',
  ' and',
  '<s>',
  '</s>',
  '<unk>',
  '<sep>',
  '<sep>>',
  '<0x41>',
  '\u4e2d\u6587',
  'a b',
  'foo bar',
  '\u{1f680}',
  '\u{1f468}\u200d\u{1f469}\u200d\u{1f467}',
];

/** Returns the written lines: sentences in some sixty languages and many scripts. */
export function readLines(): string[] {
  const text = readFileSync(join(sentencePieceFolder, 'lines.txt'), 'utf8');
  return text.split(/\r?\n/).filter((line) => line !== '');
}

/**
 * Returns the written lines and `count` that are made of them and of random characters.
 * All are well-formed UTF-16, and the same for the same seed.
 */
export function makeLines(count: number, seed: number): string[] {
  const random = createRandom(seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T;
  const lines = readLines();

  const randomText = (): string => {
    const [first, last] = pick(ranges);
    return Array.from({ length: 1 + below(12) }, () =>
      random() < 0.2 ? pick(fragments) : String.fromCodePoint(first + below(last - first + 1)),
    ).join('');
  };
  const cutText = (): string => {
    const characters = [...pick(lines)];
    const start = below(characters.length);
    return characters.slice(start, start + below(30)).join('');
  };
  const made = Array.from({ length: count }, () =>
    Array.from({ length: 1 + below(4) }, () =>
      pick([randomText, cutText, () => pick(fragments)])(),
    ).join(''),
  );
  return [...lines, ...made];
}

/** Mulberry32, a small generator of uniform numbers in [0, 1). */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
