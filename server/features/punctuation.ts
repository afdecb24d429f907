/*
 * The signs of writing that differ from document to document: which ones a text uses, and a
 * sentence with those of another text.
 */

/** A pair of signs, with what stands inside them: a space in French. */
export interface Quotes {
  open: string;
  close: string;
  /** Of a quotation inside a quotation. */
  innerOpen: string;
  innerClose: string;
  inside: string;
}

const quoteStyles = {
  straight: quotes('"', '"', "'", "'"),
  curly: quotes('“', '”', '‘', '’'),
  low: quotes('„', '“', '‚', '‘'),
  guillemets: quotes('«', '»', '“', '”'),
  inward: quotes('»', '«', '›', '‹'),
  corners: quotes('「', '」', '『', '』'),
  latex: quotes('``', "''", '`', "'"),
} as const;

type QuoteStyle = keyof typeof quoteStyles;

function quotes(open: string, close: string, innerOpen: string, innerClose: string): Quotes {
  return { open, close, innerOpen, innerClose, inside: '' };
}

/** What a quotation of each style begins with; each match counts once. */
const quotationStarts: Readonly<Record<QuoteStyle, RegExp>> = {
  latex: /``/g,
  low: /„/g,
  curly: /“/g,
  inward: /(?<![^\s([])»(?=\p{L})/gu,
  guillemets: /«/g,
  corners: /「/g,
  straight: /(?<![^\s([])"(?=\S)/g,
};

/** The marks of a text; null and empty where it shows none. */
export interface Punctuation {
  quotes: Quotes | null;
  apostrophe: "'" | '’' | null;
  /** With the spaces on both sides of it. */
  dash: string | null;
  /** What stands before `; ? !`, and before a colon. */
  beforeMark: string;
  beforeColon: string;
  /** Whether the stops of a Chinese text are as wide as its letters. */
  isWide: boolean;
}

const dashes: readonly (readonly [string, RegExp])[] = [
  [' — ', /\S — \S/g],
  ['—', /[^\s—]—[^\s—]/g],
  [' – ', /\S – \S/g],
  [' --- ', /\S --- \S/g],
  ['---', /\p{L}---\p{L}/gu],
  [' -- ', /\S -- \S/g],
  ['--', /\p{L}--\p{L}/gu],
];

/** Returns the marks that a text uses. */
export function punctuationOf(text: string): Punctuation {
  const style = mostFrequent(
    text,
    // The sign that ends a quotation of one style begins one of another.
    Object.entries(quotationStarts).filter(([name]) => name !== 'curly' || !text.includes('„')) as [
      QuoteStyle,
      RegExp,
    ][],
  );
  const inside = /«([ \u00a0\u202f])/.exec(text)?.[1] ?? '';
  return {
    quotes: style && { ...quoteStyles[style], inside: style === 'guillemets' ? inside : '' },
    apostrophe: mostFrequent(text, [
      ["'", /\p{L}'\p{L}/gu],
      ['’', /\p{L}’\p{L}/gu],
    ]),
    dash: mostFrequent(text, dashes),
    beforeMark: spaceBefore(text, '[;?!]'),
    beforeColon: spaceBefore(text, ':'),
    isWide: count(text, /\p{Script=Han}[,.?!]/gu) <= count(text, /\p{Script=Han}[，。？！]/gu),
  };
}

/** Returns the space that most often stands before a mark that ends a word; empty for none. */
function spaceBefore(text: string, mark: string): string {
  const found = mostFrequent(
    text,
    ['\u202f', '\u00a0', ' '].map((space) => [
      space,
      new RegExp(`[\\p{L}\\p{N})]${space}${mark}(?=\\s|$)`, 'gu'),
    ]),
  );
  if (found === null) return '';
  const attached = count(text, new RegExp(`[\\p{L}\\p{N})]${mark}(?=\\s|$)`, 'gu'));
  const apart = count(text, new RegExp(`[\\p{L}\\p{N})]${found}${mark}(?=\\s|$)`, 'gu'));
  return apart >= attached ? found : '';
}

/** Returns the name whose pattern matches most often, of several the first; null when none does. */
function mostFrequent<T>(text: string, patterns: readonly (readonly [T, RegExp])[]): T | null {
  let best: { name: T; count: number } | null = null;
  for (const [name, pattern] of patterns) {
    const found = count(text, pattern);
    if (found > (best?.count ?? 0)) best = { name, count: found };
  }
  return best?.name ?? null;
}

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}

/** What is written where a text is in another language than the one that its marks are of. */
export function punctuationFor(lang: string, document: Punctuation): Punctuation {
  const isStraight =
    (document.quotes ?? quoteStyles.curly).open === '"' || document.apostrophe === "'";
  const isFrench = lang === 'fra_Latn';
  const style = isStraight ? 'straight' : (quotesOfLanguages[lang] ?? 'curly');
  const isNative = document.quotes?.open === quoteStyles.latex.open;
  return {
    quotes: {
      ...(isNative ? quoteStyles.latex : quoteStyles[style]),
      inside: isFrench && style === 'guillemets' ? '\u00a0' : '',
    },
    apostrophe: document.apostrophe,
    dash: document.dash,
    beforeMark: isFrench ? '\u202f' : '',
    beforeColon: isFrench ? '\u00a0' : '',
    isWide: true,
  };
}

const quotesOfLanguages: Readonly<Record<string, QuoteStyle>> = {
  fra_Latn: 'guillemets',
  spa_Latn: 'guillemets',
  ita_Latn: 'guillemets',
  deu_Latn: 'low',
  ces_Latn: 'low',
  pol_Latn: 'low',
  jpn_Jpan: 'corners',
  zho_Hant: 'corners',
};

/** The marks that LaTeX has for a text that shows none of its own. */
export function withLatexMarks(marks: Punctuation): Punctuation {
  return { ...marks, quotes: marks.quotes ?? quoteStyles.latex };
}

const doubleQuotes = /["“”„«»「」]/g;
/** A single sign before a word, and the one that ends the quotation. */
const singleQuotation =
  /(?<![\p{L}\p{N}'])['‘‚](?=[^\s'])([^'‘’‚]*(?:\p{L}['’]\p{L}[^'‘’‚]*)*)['’‘](?![\p{L}'])/gu;
const anyApostrophe = /(?<=\p{L})['’](?=\p{L})|(?<=s)['’](?=\s)/gu;
const dashInside =
  /(?<=[\p{L}\p{M}\p{N},.!?)”"’'])(?:\s*(?:—|---|(?<=\s)–(?=\s)|--)\s*)(?=[\p{L}\p{N}("'“‘«„])/gu;

/** Returns a sentence with the marks of a text. */
export function withPunctuation(sentence: string, marks: Punctuation): string {
  let text = sentence;
  if (marks.quotes !== null) text = withQuotes(text, marks.quotes);
  const { apostrophe, dash, beforeMark, beforeColon } = marks;
  if (apostrophe !== null) text = text.replace(anyApostrophe, apostrophe);
  if (dash !== null) text = text.replace(dashInside, dash);
  if (beforeMark !== '') text = spaced(text, '[;?!]+', beforeMark);
  if (beforeColon !== '') text = spaced(text, ':', beforeColon);
  return isChinese(text) ? withWideMarks(text, marks.isWide) : text;
}

function spaced(text: string, mark: string, space: string): string {
  const place = new RegExp(`(?<=[\\p{L}\\p{M}\\p{N})»”"’])\\s*(?=${mark}(?:[\\s»”")’]|$))`, 'gu');
  return text.replace(place, space);
}

function withQuotes(sentence: string, quotes: Quotes): string {
  const { open, close, innerOpen, innerClose, inside } = quotes;
  const text = sentence
    .replace(/«[ \u00a0\u202f]+/g, '«')
    .replace(/[ \u00a0\u202f]+»(?=[\s.,;:?!)]|$)/g, '»');
  const isLow = text.includes('„');
  const outer = text.replace(doubleQuotes, (sign, at: number) => {
    return isOpening(sign, text[at - 1] ?? ' ', isLow) ? open + inside : inside + close;
  });
  // LaTeX has pairs of single signs for double ones.
  return outer.replace(singleQuotation, (_, said: string) => innerOpen + said + innerClose);
}

/** Tells by the sign itself, where it has a direction, and by what stands before it. */
function isOpening(sign: string, before: string, isLow: boolean): boolean {
  if (sign === '„' || sign === '「' || (sign === '“' && !isLow)) return true;
  if (sign === '”' || sign === '」' || sign === '“') return false;
  return /[\s([{—–-]/.test(before);
}

const wideMarks: Readonly<Record<string, string>> = {
  ',': '，',
  '.': '。',
  '?': '？',
  '!': '！',
  ':': '：',
  ';': '；',
};

/** Whether most letters are Chinese. */
function isChinese(text: string): boolean {
  return count(text, /\p{Script=Han}/gu) * 2 > count(text, /\p{L}/gu);
}

function withWideMarks(sentence: string, isWide: boolean): string {
  // No space stands between letters that are as wide as a sign and its space.
  const text = sentence.replace(/(?<=[\p{Script=Han}，。？！：；])\s+(?=\p{Script=Han})/gu, '');
  if (!isWide) return text;
  return text.replace(
    /(?<=[\p{Script=Han}”」』）])\s*([,.?!:;])(?![.\d])\s*/gu,
    (_, sign: string) => wideMarks[sign] ?? sign,
  );
}
