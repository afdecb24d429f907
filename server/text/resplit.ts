import type { ProsePiece } from './proseBlock.ts';

/** Longer sentences are cut, in code points: SONAR is poor at more. */
export const maxSentenceLength = 256;

/** The separators of the LCM recipe, strongest first. */
const separators = ['...', '\n', '!', '?', ';', ':', '.', ',', '\t', ' '];

/** The same for scripts the recipe does not know: it would cut them anywhere. */
const otherSeparators = ['。', '！', '？', '；', '：', '，', '、', '؛', '،', '।'];

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/**
 * Packs the words of a text, each with the separator that ends it, into pieces of at most `max`
 * code points; a word longer than that stays whole.
 *
 * reference: `resplit` of the LCM's data preparation.
 */
export function resplit(text: string, max: number, separator: string): string[] {
  const parts = text.split(separator);
  const words = parts.map((part, i) => (i < parts.length - 1 ? part + separator : part));
  return pack(words, max);
}

/**
 * Cuts a sentence of more than `max` code points as the LCM recipe does, and what is still too long
 * after that between graphemes. The pieces are trimmed ranges of the text.
 *
 * Source: LCM Team 2024 (arXiv:2412.08821), section 2.3.1.
 */
export function cutSentence(text: string, max = maxSentenceLength): ProsePiece[] {
  if (text.length <= max) return [{ start: 0, end: text.length }];
  let pieces = [text];
  for (const separator of [...separators, ...otherSeparators]) {
    pieces = cutLong(pieces, max, (piece) => resplit(piece, max, separator));
  }
  pieces = cutLong(pieces, max, (piece) => hardCut(piece, max));
  const ranges: ProsePiece[] = [];
  let at = 0;
  for (const piece of pieces) {
    const trimmed = piece.trim();
    const start = at + piece.length - piece.trimStart().length;
    if (trimmed !== '') ranges.push({ start, end: start + trimmed.length });
    at += piece.length;
  }
  return ranges;
}

function cutLong(
  pieces: readonly string[],
  max: number,
  cut: (piece: string) => string[],
): string[] {
  return pieces.flatMap((piece) => (countCodePoints(piece) > max ? cut(piece) : [piece]));
}

/** Joins words greedily into pieces of at most `max` code points. */
function pack(words: readonly string[], max: number): string[] {
  const pieces: string[] = [];
  let piece = '';
  let length = 0;
  for (const word of words) {
    const wordLength = countCodePoints(word);
    if (piece !== '' && length + wordLength > max) {
      pieces.push(piece);
      piece = '';
      length = 0;
    }
    piece += word;
    length += wordLength;
  }
  if (piece !== '') pieces.push(piece);
  return pieces;
}

/** Cuts between graphemes, or, where one grapheme is too long, between code points. */
function hardCut(text: string, max: number): string[] {
  const segments = graphemes.segment(text);
  const pieces: string[] = [];
  for (let start = 0; start < text.length; ) {
    let limit = start;
    for (let i = 0; i < max && limit < text.length; i += 1) {
      limit += (text.codePointAt(limit) ?? 0) > 0xffff ? 2 : 1;
    }
    const boundary = segments.containing(limit)?.index ?? limit;
    const end = boundary > start ? boundary : limit;
    pieces.push(text.slice(start, end));
    start = end;
  }
  return pieces;
}

const surrogatePair = /[\u{10000}-\u{10ffff}]/gu;

function countCodePoints(text: string): number {
  return text.length - (text.match(surrogatePair)?.length ?? 0);
}
