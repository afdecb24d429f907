import { escapeProse } from '../text/escaping.ts';
import type { ProseFormat } from '../text/proseBlock.ts';
import { joint } from './layoutAtCaret.ts';
import {
  type Punctuation,
  punctuationFor,
  punctuationOf,
  withLatexMarks,
  withPunctuation,
} from './punctuation.ts';

/*
 * A sentence of the models → what is inserted at a caret: with the casing, the quotes, dashes and
 * spaces of the document, the marker of its list, and nothing in it that would be markup.
 */

/** What there is to know of a place before a sentence is fitted to it. */
export interface Place {
  format: ProseFormat;
  /** FLORES-200 code of the text around, where it is known. */
  lang: string | undefined;
  /** The end of the text before the caret. */
  before: string;
  /** What goes before the sentence. */
  joint: string;
  punctuation: Punctuation;
  casing: Casing;
}

interface Casing {
  /** Whether sentences begin in lower case. */
  isLower: boolean;
  /** Words that are capitalised wherever they stand; known where sentences are not. */
  names: ReadonlySet<string>;
}

/** UTF-16 units before and after a place that tell how the document is written. */
const unitsBefore = 4096;
const unitsAfter = 1024;

/** Code, tags, comments and maths: their signs are no punctuation. */
const notProse: Readonly<Record<ProseFormat, RegExp>> = {
  markdown: /^(?:```|~~~)[\s\S]*?^(?:```|~~~)|`[^`\n]*`|<\/?[a-zA-Z][^<>]*>|\]\([^)\n]*\)/gm,
  latex: /(?<!\\)%.*|\$[^$]*\$|\\begin\{(verbatim|lstlisting)\}[\s\S]*?\\end\{\1\}/g,
  plaintext: /\0/g,
};

/**
 * Looks around a caret, some thousand units far: once for all sentences that may be fitted there.
 *
 * @param offset  the caret, in UTF-16 units
 * @param lang  FLORES-200 code of the text there, where it is known
 */
export function placeAt(text: string, offset: number, format: ProseFormat, lang?: string): Place {
  const before = text.slice(Math.max(0, offset - unitsBefore), offset);
  const after = text.slice(offset, offset + unitsAfter);
  const prose = `${before}\n${after}`.replace(notProse[format], ' ');
  const marks = punctuationOf(prose);
  return {
    format,
    lang,
    before,
    joint: joint(before, format),
    punctuation: format === 'latex' ? withLatexMarks(marks) : marks,
    casing: casingOf(prose),
  };
}

/**
 * Returns what is inserted at a place so that the sentence is read there.
 *
 * @param lang  FLORES-200 code of the sentence; that of the place when left out
 */
export function fitSentence(place: Place, sentence: string, lang = place.lang): string {
  const { format, before, joint: start, casing } = place;
  const isForeign = lang !== place.lang && lang !== undefined && place.lang !== undefined;
  const punctuation = isForeign ? punctuationFor(lang, place.punctuation) : place.punctuation;
  const cased = isForeign ? sentence.trim() : withCasing(sentence.trim(), casing);
  const text = withPunctuation(cased, punctuation);
  const startsLine = /(?:^|\n)\s*$/.test(before) || start.includes('\n');
  const source = escapeProse(text, format, startsLine);
  return start + (format === 'latex' ? withDashes(source) : source);
}

/** Fits several sentences, each behind the one before. */
export function fitSentences(
  place: Place,
  sentences: readonly string[],
  lang = place.lang,
): string {
  return sentences.reduce((text, sentence) => {
    const before = place.before + text;
    const here = text === '' ? place : { ...place, before, joint: joint(before, place.format) };
    return text + fitSentence(here, sentence, lang);
  }, '');
}

/** LaTeX makes its dashes of hyphens. */
function withDashes(source: string): string {
  return source.replaceAll('—', '---').replaceAll('–', '--');
}

const sentenceStarts =
  /(?:[.!?…]["'”’»)]*\s+|\n\s*\n\s*|\n\s*(?:[-*+•]|\d+[.)]|\\item)\s+)["'“‘«„(¿¡]*(\p{L})/gu;
const nameInside = /(?<=[\p{Ll},;] )\p{Lu}[\p{L}\p{M}'’-]*/gu;
const firstWord = /^(["'“‘«»„(¿¡\s]*)(\p{L}[\p{L}\p{M}'’]*)/u;

/** A text that begins fewer than one sentence in four with a capital does so on purpose. */
const lowerForEachUpper = 3;
const fewestLower = 2;

function casingOf(prose: string): Casing {
  let [lower, upper] = [0, 0];
  for (const [, letter = ''] of prose.matchAll(sentenceStarts)) {
    if (letter !== letter.toUpperCase()) lower++;
    else if (letter !== letter.toLowerCase()) upper++;
  }
  const isLower = lower >= fewestLower && lower >= upper * lowerForEachUpper;
  return { isLower, names: new Set(isLower ? (prose.match(nameInside) ?? []) : []) };
}

/** Begins a sentence as the text does; names, acronyms and “I” keep their capitals. */
function withCasing(sentence: string, { isLower, names }: Casing): string {
  return sentence.replace(firstWord, (whole, signs: string, word: string) => {
    const [first = ''] = word;
    const rest = word.slice(first.length);
    if (rest !== rest.toLowerCase()) return whole; // an acronym, or a name like iPhone
    if (!isLower) return signs + first.toUpperCase() + rest;
    const isName = /^I(?:['’]|$)/.test(word) || names.has(word);
    return isName ? whole : signs + first.toLowerCase() + rest;
  });
}
