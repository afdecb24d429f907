import { byteOffsets, defaultThreshold, entropyPatchStarts } from './patching.ts';
import type { ProsePiece } from './proseBlock.ts';
import { cutSentence } from './resplit.ts';

/*
 * Cutting a long sentence where a byte model does not know what comes next: there a new thought
 * starts. A cut stands before a word, at the start of a patch, and after punctuation if it can.
 */

/** What punctuation before a word is worth, in nats: more than words differ by among themselves. */
const punctuationBonus = 3;

/** A piece has this share of the longest at least, so that no cut leaves a word or two alone. */
const minShare = 1 / 3;

/** The first letter or digit of a word, with what opens before it. */
const wordStarts = /(?<=\s)[^\s]/gu;
const pauseBefore = /[,;:)\]}”»—–][”’"']?\s*$|[-–—]\s+$/u;

interface Place {
  /** UTF-16 offset in the text. */
  offset: number;
  worth: number;
}

/**
 * Cuts a sentence of more than `max` UTF-16 units into pieces that are no longer, trimmed ranges of
 * the text; what has no place for a cut is cut as `cutSentence` does.
 *
 * @param entropies  of every byte, the first one's first; see `Inference.entropies`
 */
export function cutAtThoughts(
  text: string,
  entropies: ArrayLike<number>,
  max: number,
): ProsePiece[] {
  if (text.length <= max) return [{ start: 0, end: text.length }];
  const places = placesToCut(text, entropies);
  const pieces: ProsePiece[] = [];
  let start = 0;
  while (text.length - start > max) {
    const cut = bestPlace(places, text.length, { start, max });
    if (cut === undefined) break;
    pieces.push({ start, end: start + text.slice(start, cut).trimEnd().length });
    start = cut;
  }
  const rest = text.slice(start);
  for (const piece of cutSentence(rest, max)) {
    pieces.push({ start: start + piece.start, end: start + piece.end });
  }
  return pieces;
}

/** The place that is worth most within reach, so that the rest is long enough as well. */
function bestPlace(
  places: readonly Place[],
  length: number,
  { start, max }: { start: number; max: number },
): number | undefined {
  const min = Math.floor(max * minShare);
  const reachable = places.filter(
    ({ offset }) => offset - start >= min && offset - start <= max && length - offset >= min,
  );
  const best = reachable.reduce<Place | undefined>(
    (found, place) => (found === undefined || place.worth >= found.worth ? place : found),
    undefined,
  );
  return best?.offset;
}

function placesToCut(text: string, entropies: ArrayLike<number>): Place[] {
  const offsets = byteOffsets(text);
  // Position i + 1 of the ids is byte i of the text.
  const rule = { kind: 'global', threshold: defaultThreshold } as const;
  const starts = new Set(entropyPatchStarts(entropies, rule).map((position) => position - 1));
  return [...text.matchAll(wordStarts)].flatMap(({ index }) => {
    const byte = offsets[index] ?? 0;
    if (!starts.has(byte)) return [];
    const bonus = pauseBefore.test(text.slice(Math.max(0, index - 4), index))
      ? punctuationBonus
      : 0;
    return [{ offset: index, worth: (entropies[byte] ?? 0) + bonus }];
  });
}
