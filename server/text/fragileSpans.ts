import { byteOffsets } from './patching.ts';

/*
 * The parts of a sentence that no embedding keeps: numbers, names, identifiers and links. A
 * decoder writes others of their kind in their place, so they are compared and carried over as
 * text. They are found by how they look, and where every word has a capital, by how surprising they
 * are to a byte model. No pattern begins within a run of its own characters, so that
 * time is in proportion to the text.
 */

export type FragileKind = 'number' | 'name' | 'identifier' | 'link';

/** Offsets in UTF-16 units, half-open. */
export interface FragileSpan {
  start: number;
  end: number;
  kind: FragileKind;
}

export interface FragileOptions {
  /** FLORES-200 code of the text; English when absent. */
  lang?: string | undefined;
  /** How surprising every byte is, −log p in nats, where a byte model can tell. */
  surprisals?: ArrayLike<number> | undefined;
}

/** Languages that write every noun with a capital: there a capital says nothing. */
const capitalisedNouns = /^(?:deu|ltz|nds)_/;

const link = /(?<![\p{L}\p{N}])(?:[a-z][a-z\d+.-]{0,15}:\/\/|www\.)[^\s<>"“”«»]{1,2048}/giu;
const mail = /(?<![\p{L}\p{N}._%+-])[\p{L}\p{N}._%+-]+@[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+/gu;
const trailing = /[.,;:!?)\]}'’*…]+$/u;

/** What code looks like: marks within a word, capitals within it, letters with digits, a path. */
const identifiers = [
  /`[^`\n]+`/gu,
  /(?<![\p{L}\p{N}_.~/-])(?:[~.]{0,2}\/)?[\w.-]+\/[\w.-]+\/[\w./-]*\w/gu,
  /(?<![\p{L}\p{N}-])--?[a-z][\w-]*(?![\p{L}\p{N}])/giu,
  /(?<![\p{L}\p{N}])[@#][\p{L}\p{N}_]+/gu,
  /(?<![\p{L}\p{N}_])[\p{L}\p{N}_]+\(\)/gu,
  /(?<![\p{L}\p{N}_])[\p{L}\p{N}]*_[\p{L}\p{N}_]*[\p{L}\p{N}]/gu,
  /(?<![\p{L}\p{N}])\p{Ll}+\p{Lu}[\p{L}\p{N}]*/gu,
  /(?<![\p{L}\p{N}])\p{Lu}\p{Ll}+\p{Lu}\p{L}*\p{N}*(?![\p{L}'’])/gu,
  /(?<![a-z\d])(?:[a-z]+\d+|\d+(?!(?:st|nd|rd|th|s|e|er|a|o)\b)[a-z]+\d+)[a-z\d]*/giu,
  /(?<![\p{L}\p{N}_.])[a-z_]\w*(?:\.[a-z_]\w+)+/gu,
];

/** Digits with what may stand between them: 1,000.5, 12:30, 2024-01-05, 3/4, 1 000. */
const number = /\p{Nd}+(?:[.,:/’'\u00a0\u202f-]\p{Nd}+)*/gu;

/** A capital and what belongs to the word; an initial may be alone with its full stop. */
const capitalised = /(?<![\p{L}\p{N}])(?:\p{Lu}[\p{L}\p{M}\p{N}]*(?:[’'-]\p{Lu}[\p{L}\p{M}]*)*)/gu;

/** What stands between the words of one name. */
const between = /^(?:[ \u00a0]|-)$/u;
const particles = /^ (?:(?:de|da|do|du|del|di|la|le|von|van|der|of) ){1,2}$/u;
/** A word that a full stop does not end a name after. */
const shortened = /(?:^|[\s.])(?:\p{Lu}|Mr|Mrs|Ms|Dr|Prof|St|Sr|Jr|Mme|Mlle)$/u;

/** Words with a capital that are no names: the first person, and what it is shortened with. */
const noNames = new Set(['I', 'O', 'OK', 'A']);

/** What may stand between the end of a sentence and the first word of the next. */
const openers = /["“”‘'«»„¿¡([\s*#>–—-]+$/u;
const sentenceEnd = /[.!?…。！？:;]["”’»)\]]*$/u;
/** Characters that are looked at before a word. */
const lookBehind = 16;

/** Words are spelt as a byte model expects, names are not: nats per byte that tell them apart. */
const nameSurprisal = 2.5;

/** What follows a person's name that begins a sentence. */
const personFollows =
  /^(?:[’']s\b| (?:was|is|had|has|said|says|asked|replied|went|wrote|smiled|laughed|cried|ran|thought|told|loved|liked|wanted|looked|saw)\b| (?:and|und|et|y|e) \p{Lu})/u;

/** Words that often begin a sentence, and are neither a person nor the first word of a name. */
const starters = new Set(
  (
    'he she it this that these those there here who what which where when why how all both each either ' +
    'neither none one some any many most much more nothing something anything everything nobody ' +
    'somebody anybody everybody everyone someone anyone another other others his her its their my our ' +
    'your let today tomorrow yesterday now then so but and or if not no yes maybe as the a an i we you ' +
    'they in on at by for from to of with after before since until during while although because under ' +
    'over between through about against among despite like unlike near both dear thanks is are was ' +
    'were do does did can could will would should has have had also however still even only just ' +
    'le la les un une des du de en dans à au aux pour par avec sur mais et ou où quand si ' +
    'el los las una unos del al por para con sin pero y o cuando il lo gli i di da nel per ' +
    'ma e quando os as um uma no na nos nas com mas der die das ein eine von zu bei mit nach aber und'
  ).split(' '),
);

/** Returns the fragile spans of a text, in order, none within another. */
export function fragileSpans(
  text: string,
  { lang = 'eng_Latn', surprisals }: FragileOptions = {},
): FragileSpan[] {
  const spans: FragileSpan[] = [];
  const taken = new Uint8Array(text.length);
  const add = (start: number, end: number, kind: FragileKind) => {
    if (end <= start || taken.subarray(start, end).includes(1)) return;
    taken.fill(1, start, end);
    spans.push({ start, end, kind });
  };
  for (const pattern of [link, mail]) {
    for (const { 0: found, index } of text.matchAll(pattern)) {
      add(index, index + found.replace(trailing, '').length, 'link');
    }
  }
  for (const pattern of identifiers) {
    for (const { 0: found, index } of text.matchAll(pattern)) {
      add(index, index + found.length, 'identifier');
    }
  }
  for (const { 0: found, index } of text.matchAll(number)) {
    add(index, index + found.length, 'number');
  }
  for (const { start, end } of names(text, { lang, surprisals })) add(start, end, 'name');
  return spans.sort((a, b) => a.start - b.start);
}

interface Range {
  start: number;
  end: number;
}

function names(text: string, { lang = '', surprisals }: FragileOptions): Range[] {
  const found: (Range & { isFirst: boolean })[] = [];
  const isNoun = capitalisedNouns.test(lang);
  const surprises = surprisals && meanSurprisals(text, surprisals);
  for (const { 0: word, index: start } of text.matchAll(capitalised)) {
    const end = start + word.length;
    const isFirst = beginsSentence(text, start);
    const last = found.at(-1);
    const isAfter = last !== undefined && isOneName(text, last, start, isNoun);
    if (noNames.has(word) && !isAfter) continue;
    if (isAfter && !(last.isFirst && starters.has(wordOf(text, last)))) {
      last.end = end;
      last.isFirst = false;
    } else found.push({ start, end, isFirst });
  }
  return found.filter((range) => {
    const isAlone = !text.slice(range.start, range.end).includes(' ');
    if (!range.isFirst && !(isNoun && isAlone)) return true;
    if (starters.has(wordOf(text, range))) return false;
    if (surprises !== undefined) return surprises(range) > nameSurprisal;
    return range.isFirst && isPerson(text, range);
  });
}

/** Returns what tells the mean surprisal of a range, its first character left out. */
function meanSurprisals(text: string, surprisals: ArrayLike<number>): (range: Range) => number {
  const offsets = byteOffsets(text);
  return ({ start, end }) => {
    const first = offsets[start + 1] ?? 0;
    const last = offsets[end] ?? 0;
    let sum = 0;
    for (let byte = first; byte < last; byte++) sum += surprisals[byte] ?? 0;
    return last > first ? sum / (last - first) : 0;
  };
}

function isOneName(text: string, { start, end }: Range, next: number, isNoun: boolean): boolean {
  const gap = text.slice(end, next);
  if (between.test(gap) || (!isNoun && particles.test(gap))) return true;
  return /^\.[ \u00a0]?$/u.test(gap) && shortened.test(text.slice(start, end));
}

function wordOf(text: string, { start, end }: Range): string {
  return text.slice(start, end).toLowerCase();
}

/** Whether what begins a sentence is a person, as far as the next word tells. */
function isPerson(text: string, range: Range): boolean {
  return personFollows.test(text.slice(range.end));
}

/** At the start of the text or a line, after the end of a sentence, or at the start of a quotation. */
function beginsSentence(text: string, start: number): boolean {
  const before = text.slice(Math.max(0, start - lookBehind), start);
  const bare = before.replace(openers, '');
  if (bare === '') return start <= lookBehind;
  return sentenceEnd.test(bare) || /["“‘«„\n\r]/u.test(before.slice(bare.length));
}

/**
 * Returns what two spans of one kind are compared by: the digits of a number, whatever separates
 * them, the letters of a name in lower case, anything else as it is.
 */
export function fragileKey(text: string, { start, end, kind }: FragileSpan): string {
  const part = text.slice(start, end);
  switch (kind) {
    case 'number':
      return part.normalize('NFKC').replace(/\P{Nd}+/gu, '');
    case 'name':
      return part
        .toLowerCase()
        .replace(/\P{L}+/gu, ' ')
        .trim();
    default:
      return part;
  }
}
