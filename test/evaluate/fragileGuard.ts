import {
  carryOver,
  fragileChanges,
  KnownSpans,
  withoutInventions,
} from '../../server/features/fragileGuard.ts';
import { mean } from './geometry.ts';

/*
 * What the guard of numbers, names, identifiers and links changes: how often a decoded sentence says
 * another one than its source, and how often a suggestion says one that its document does not have.
 */

export interface GuardFigures {
  sentences: number;
  /** Share that says another number, name, identifier or link than its source, as decoded. */
  changed_without: number;
  /** The same after what is clear was put back; each of these is told as lost or invented. */
  changed_with: number;
  /** Share that is as decoded in no letter, because something was put back. */
  put_back: number;
}

/** @param sources  sentences @param decoded  what was decoded from their concepts, in order */
export function guardFigures(
  sources: readonly string[],
  decoded: readonly string[],
  lang?: string,
): GuardFigures {
  const said = (text = '') => (lang === undefined ? { text } : { text, lang });
  const pairs = sources.map((source, i) => [said(source), said(decoded[i])] as const);
  const isChanged = ({ lost, invented }: { lost: string[]; invented: string[] }) =>
    Number(lost.length + invented.length > 0);
  const carried = pairs.map(([source, again]) => carryOver(source, again));
  return {
    sentences: sources.length,
    changed_without: mean(pairs.map(([source, again]) => isChanged(fragileChanges(source, again)))),
    changed_with: mean(carried.map(isChanged)),
    put_back: mean(carried.map(({ text }, i) => Number(text !== (decoded[i] ?? '')))),
  };
}

export interface InventionFigures {
  documents: number;
  /** Share of documents whose first suggestion says what the document does not have. */
  first_without: number;
  first_with: number;
  /** The same share of all suggestions that are shown. */
  all_without: number;
  all_with: number;
  /** Suggestions that are left of each document's, in the mean. */
  kept: number;
}

/**
 * @param documents    the text before each place
 * @param suggestions  candidates for each place, best first
 */
export function inventionFigures(
  documents: readonly string[],
  suggestions: readonly (readonly string[])[],
): InventionFigures {
  const known = documents.map((document) => new KnownSpans(document));
  const invents = (document: number, text: string) =>
    Number((known[document]?.invented(text).length ?? 0) > 0);
  const guarded = suggestions.map((texts, i) => {
    const candidates = texts.map((text) => ({ text }));
    const kept = withoutInventions(candidates, known[i] ?? new KnownSpans(''));
    return kept.map(({ text }) => text);
  });
  const first = (all: readonly (readonly string[])[]) =>
    mean(all.flatMap(([text], i) => (text === undefined ? [] : [invents(i, text)])));
  const every = (all: readonly (readonly string[])[]) =>
    mean(all.flatMap((texts, i) => texts.map((text) => invents(i, text))));
  return {
    documents: documents.length,
    first_without: first(suggestions),
    first_with: first(guarded),
    all_without: every(suggestions),
    all_with: every(guarded),
    kept: mean(guarded.map(({ length }) => length)),
  };
}
