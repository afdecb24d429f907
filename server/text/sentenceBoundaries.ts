import { beforeNumber, maybeFinal, neverFinal, ordinalNouns, starters } from './abbreviations.ts';
import type { ProseBlock, ProsePiece, Sentence } from './proseBlock.ts';
import { cutSentence } from './resplit.ts';

/**
 * Prose → sentences. `Intl.Segmenter` (Unicode Standard Annex 29) proposes the boundaries; what it
 * gets wrong is taken away (abbreviations, initials, quotations that go on) or added (ellipses).
 */

const segmenters = new Map<string, Intl.Segmenter>();

const closers = '["\'”’»›)\\]}」』）】〉》]*';
const terminal = new RegExp(`[\\p{STerm}…．｡]${closers}$`, 'u');
const terminalText = new RegExp(`([^\\s]*?)([\\p{STerm}…．｡]+)${closers}$`, 'u');
const ellipsisEnd = new RegExp(`…${closers}\\s+(?=[\\p{Lu}¿¡“"«])`, 'gu');
const camelStart = /[.!?]["'”’)\]]*\s+(?=\p{Ll}\p{Lu})/gu;
const citationEnd = /[.!?]["'”’)]*(?:\[\d+(?:\s?[,–-]\s?\d+)*\])+\s+(?=\S)/gu;
const guillemetEnd = /[.!?…]\s+»\s+(?=\S)/gu;
const openersAtEnd = /[([{«“‘„‚¿¡「『（【〈《]+$/u;
const enumerator = /^[([]?(?:\d{1,3}|\p{L}|[ivxlIVXL]{1,5})[.)]$/u;
const quotativeStart = /^(?:と|って|という|といった)/;
const address = /(?<![\p{L}\d])[a-z][a-z\d+.-]{0,15}:\/\/[^\s<>"]+|\bwww\.[^\s<>"]+/giu;
/** Characters on either side of a boundary that decide about it. */
const wordContext = 64;
const word = /[\p{L}\p{N}]/u;

/** Returns the sentences of one paragraph. */
export function splitBlock(block: ProseBlock, hasEnded: boolean, locale = 'en'): Sentence[] {
  const ranges = sentenceRanges(block.text, block.solids, locale);
  const last = ranges.at(-1);
  const isComplete =
    last === undefined || hasEnded || endsSentence(block.text.slice(last.start, last.end));
  const paragraph = isComplete ? block.text : block.text.slice(0, last.start).trimEnd();
  return ranges.map((range, i) => ({
    text: block.text.slice(range.start, range.end),
    start: block.toDocument(range.start),
    end: block.toDocumentEnd(range.end),
    block: block.start,
    paragraph,
    complete: isComplete || i < ranges.length - 1,
  }));
}

/** Tells whether a text ends as a sentence does, and not with an abbreviation that goes on. */
export function endsSentence(text: string): boolean {
  const trimmed = text.trimEnd();
  if (!terminal.test(trimmed) || enumerator.test(trimmed)) return false;
  const last = lastWord(trimmed);
  return last === undefined || !(neverFinal.has(last.toLowerCase()) || isInitial(last));
}

/** Returns the ranges of the sentences of a prose text, trimmed, none of them too long. */
function sentenceRanges(text: string, solids: readonly ProsePiece[], locale: string): ProsePiece[] {
  const kept = [...solids, ...addresses(text)];
  const ranges: ProsePiece[] = [];
  let start = 0;
  for (const end of [...proposedBoundaries(text, locale), text.length]) {
    const isInside = kept.some((solid) => solid.start < end && end < solid.end);
    if (end < text.length && (isInside || !isBoundary(text, start, end))) continue;
    const range = trimmedRange(text, start, end);
    const previous = ranges.at(-1);
    if (range !== undefined) ranges.push(range);
    else if (previous !== undefined && end === text.length) {
      // What has neither letter nor digit belongs to the sentence before it.
      ranges[ranges.length - 1] = { start: previous.start, end: text.trimEnd().length };
    } else continue;
    start = end;
  }
  return ranges.flatMap((range) => {
    return cutSentence(text.slice(range.start, range.end)).map((piece) => ({
      start: range.start + piece.start,
      end: range.start + piece.end,
    }));
  });
}

/** Returns the range without surrounding white space, if it has a letter or a digit. */
function trimmedRange(text: string, start: number, end: number): ProsePiece | undefined {
  const part = text.slice(start, end);
  if (!word.test(part)) return undefined;
  return {
    start: start + part.length - part.trimStart().length,
    end: start + part.trimEnd().length,
  };
}

/** Addresses, without the punctuation that ends the sentence they stand in. */
function addresses(text: string): ProsePiece[] {
  return [...text.matchAll(address)].map((match) => ({
    start: match.index,
    end: match.index + match[0].replace(/[.,;:!?)\]'"”’]+$/u, '').length,
  }));
}

/** Returns the offsets at which a sentence may begin, in order. */
function proposedBoundaries(text: string, locale: string): number[] {
  const boundaries = new Set<number>();
  for (const { index } of segmenterFor(locale).segment(text)) {
    // Opening signs belong to what follows them.
    const openers = openersAtEnd.exec(text.slice(Math.max(0, index - 4), index))?.[0] ?? '';
    boundaries.add(index - openers.length);
  }
  for (const pattern of [ellipsisEnd, camelStart, citationEnd, guillemetEnd]) {
    for (const match of text.matchAll(pattern)) boundaries.add(match.index + match[0].length);
  }
  boundaries.delete(0);
  return [...boundaries].sort((a, b) => a - b);
}

function segmenterFor(locale: string): Intl.Segmenter {
  let segmenter = segmenters.get(locale);
  if (segmenter === undefined) {
    segmenter = new Intl.Segmenter(locale, { granularity: 'sentence' });
    segmenters.set(locale, segmenter);
  }
  return segmenter;
}

/** Tells whether the sentence that begins at `start` ends before `at`. */
function isBoundary(text: string, start: number, at: number): boolean {
  const whole = text.slice(start, at);
  const before = whole.slice(-wordContext).trimEnd();
  const after = text.slice(at, at + wordContext);
  if (!word.test(whole) || (whole.length < wordContext && enumerator.test(before))) return false;
  if (/^\p{Ll}/u.test(after) && !/^\p{Ll}\p{Lu}/u.test(after)) return isWideStop(before);
  if (text[at - 1]?.trim() !== '' && /[.!?]["'”’)\]]*$/.test(before)) {
    return /[!?]["'”’)]*$/.test(before) && /^\p{Lu}/u.test(after);
  }
  if (/[。！？][」』）]+$/.test(before) && quotativeStart.test(after)) return false;
  if (/^[»›]/.test(after) && isOpen(whole)) return false;
  const last = lastWord(before);
  return last === undefined || !goesOn(last, after);
}

/** Stops of scripts without capitals or spaces end a sentence whatever follows. */
function isWideStop(before: string): boolean {
  return /[。！？।؟۔][」』）”’"')]*$/u.test(before);
}

/** Tells whether a French quotation is still open. */
function isOpen(text: string): boolean {
  return text.split('«').length > text.split('»').length;
}

/** Returns the word before a single full stop at the end of a text, without opening signs. */
function lastWord(before: string): string | undefined {
  const match = terminalText.exec(before.slice(-wordContext));
  if (match === null || match[2] !== '.' || !before.endsWith('.')) return undefined;
  return match[1]?.replace(/^[^\p{L}\p{N}№]+/u, '') ?? undefined;
}

/** One capital letter, or several with a full stop between them, as in “J.R”. */
function isInitial(last: string): boolean {
  return /^(?:\p{Lu}\.?-?)*\p{Lu}$/u.test(last) && !/^\p{Lu}{2,}$/u.test(last) && last !== 'I';
}

/** Tells whether the sentence goes on after an abbreviation with a full stop. */
function goesOn(last: string, after: string): boolean {
  const lower = last.toLowerCase();
  if (lower === '') return false;
  const next = /^["'“‘«(]*([\p{L}\p{M}\p{N}'’-]+)/u.exec(after)?.[1]?.toLowerCase() ?? '';
  if (neverFinal.has(lower)) return true;
  if (beforeNumber.has(lower) && /^[([#]?(?:\p{N}|[ivxlcIVXLC]+\b)/u.test(after)) return true;
  // As in “z. B.” and “p. ex.”.
  if (/^\p{Ll}$/u.test(last) && /^\p{L}{1,3}\./u.test(after)) return true;
  if (/^\d{1,2}$/.test(last)) return ordinalNouns.has(next);
  if (maybeFinal.has(lower) || isInitial(last)) return next !== '' && !starters.has(next);
  return false;
}
