import type { RewriteKind } from '../../../protocol/completion.ts';
import { rewriteKinds } from '../../../protocol/completion.ts';
import type { DocumentText } from '../../text/documentText.ts';
import type { ProsePiece, Sentence } from '../../text/proseBlock.ts';
import { findHeading, type HeadingPlace } from './headings.ts';

/*
 * What can be rewritten at a place, by the text alone: cheap enough for every move of the caret.
 */

/** Sentences that are replaced. */
export interface SentencesPlace extends ProsePiece {
  kind: 'rephrase' | 'condense';
  sentences: readonly Sentence[];
}

/** Where a sentence is inserted between two. */
export interface GapPlace extends ProsePiece {
  kind: 'bridge';
  before: Sentence;
  after: Sentence;
  /** What stands between the two, and will stand on both sides of the third. */
  gap: string;
}

export type Place = SentencesPlace | GapPlace | HeadingPlace;

/** A longer selection is no place to rewrite, in UTF-16 units: reading it would take too long. */
const maxSelected = 1 << 14;

/** Sentences that are reworded at once, and that a paragraph may have to be condensed. */
const maxRephrased = 8;
const maxCondensed = 64;

/** Returns what can be made at a place. */
export function possibleRewrites(document: DocumentText, span: ProsePiece): RewriteKind[] {
  return rewriteKinds.filter((kind) => findPlace(document, kind, span) !== null);
}

/** Finds what a kind of rewriting works on; null where there is nothing for it. */
export function findPlace(
  document: DocumentText,
  kind: RewriteKind,
  span: ProsePiece,
): Place | null {
  if (span.end - span.start > maxSelected) return null;
  if (kind === 'expand') return findHeading(document, span);
  const around = document.sentencesAround(span.start, span.end).filter(({ complete }) => complete);
  switch (kind) {
    case 'rephrase':
      return findSentences(around, span);
    case 'condense':
      return findParagraph(around, span);
    case 'bridge':
      return findGap(document.text, around, span);
  }
}

function findSentences(around: readonly Sentence[], span: ProsePiece): SentencesPlace | null {
  const sentences = selected(around, span);
  return sentences.length > maxRephrased ? null : placeOf('rephrase', sentences);
}

/** The sentences that are selected, or where less than two are, their whole paragraph. */
function findParagraph(around: readonly Sentence[], span: ProsePiece): SentencesPlace | null {
  const chosen = selected(around, span);
  const [first] = chosen;
  if (first === undefined || chosen.some(({ block }) => block !== first.block)) return null;
  const sentences =
    chosen.length > 1 ? chosen : around.filter(({ block }) => block === first.block);
  if (sentences.length < 2 || sentences.length > maxCondensed) return null;
  return placeOf('condense', sentences);
}

/** What lies between two sentences, or a selection that touches two. */
function findGap(
  text: string,
  around: readonly Sentence[],
  { start, end }: ProsePiece,
): GapPlace | null {
  const touched = around.filter((one) => one.start < end && one.end > start);
  const between = around.findIndex(
    (one, i) => one.end <= start && end <= (around[i + 1]?.start ?? -1),
  );
  const [left] = touched;
  const first = touched.length === 2 && left !== undefined ? around.indexOf(left) : between;
  const [before, after] = [around[first], around[first + 1]];
  if (before === undefined || after === undefined) return null;
  const gap = text.slice(before.end, after.start);
  // What is more than white space is markup: another item of a list, a heading.
  if (gap.trim() !== '') return null;
  return { kind: 'bridge', start: before.end, end: before.end, before, after, gap };
}

/** The sentences that a selection touches, or the one that the caret is in or at the end of. */
function selected(around: readonly Sentence[], { start, end }: ProsePiece): readonly Sentence[] {
  if (start < end) return around.filter((one) => one.start < end && one.end > start);
  const last = around.findLast((one) => one.start <= start && start <= one.end);
  return last === undefined ? [] : [last];
}

function placeOf(
  kind: SentencesPlace['kind'],
  sentences: readonly Sentence[],
): SentencesPlace | null {
  const [first, last] = [sentences[0], sentences.at(-1)];
  if (first === undefined || last === undefined) return null;
  return { kind, start: first.start, end: last.end, sentences };
}
