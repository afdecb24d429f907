import type { ProseFormat } from './proseBlock.ts';

/*
 * What a document says about its own language, in its first lines: in a comment for us or for a
 * TeX editor, in the front matter of Markdown, or to babel and polyglossia.
 */

/** A language as a document names it, and where it does. */
export interface StatedLanguage {
  readonly name: string;
  readonly where: 'comment' | 'frontMatter';
}

/** How far statements are looked for, in UTF-16 units: preambles are shorter. */
const maxHead = 1 << 14;

/** Lines in which a comment counts: further down it may be an example. */
const maxCommentLines = 20;

/** Bounded, so that no line of spaces is gone through again and again. */
const gap = '[ \\t]{0,8}';
const own = `thoughtline:${gap}lang(?:uage)?${gap}=${gap}(\\S[^\\r\\n]{0,63}?)${gap}`;

const ownComment: Readonly<Record<ProseFormat, RegExp>> = {
  markdown: new RegExp(`^${gap}<!--${gap}${own}-->`, 'im'),
  latex: new RegExp(`^${gap}%{1,8}${gap}${own}$`, 'im'),
  plaintext: new RegExp(`^${gap}${own}$`, 'im'),
};

const texComment = new RegExp(
  `^${gap}%${gap}!TeX${gap}spellcheck${gap}=${gap}(\\S{1,64})${gap}$`,
  'im',
);
const frontMatter = /^\uFEFF?(---|\+\+\+)[ \t]*\r?\n([\s\S]*?)\n\1[ \t]*(?:\r?\n|$)/;
const frontMatterField = new RegExp(
  `^lang(?:uage)?${gap}[:=]${gap}(["']?)([^\\s"'#][^"'#\\r\\n]{0,63}?)\\1${gap}(?:#.*)?$`,
  'im',
);
const babel = /^[^%\r\n]*\\usepackage[ \t]{0,8}\[([^\]]{0,512})\][ \t]{0,8}\{babel\}/m;
const polyglossia =
  /^[^%\r\n]*\\set(?:main|default)language[ \t]{0,8}(?:\[[^\]]{0,256}\])?[ \t]{0,8}\{([^}]{1,64})\}/m;

/** Names of babel and polyglossia that are neither a tag nor the English name. */
const texNames: Readonly<Record<string, string>> = {
  acadian: 'fr',
  american: 'en',
  australian: 'en',
  austrian: 'de',
  bahasa: 'id',
  bahasai: 'id',
  bahasam: 'ms',
  brazil: 'pt',
  brazilian: 'pt',
  british: 'en',
  canadian: 'en',
  canadien: 'fr',
  farsi: 'fa',
  francais: 'fr',
  frenchb: 'fr',
  friulan: 'fur',
  germanb: 'de',
  indon: 'id',
  magyar: 'hu',
  malay: 'ms',
  melayu: 'ms',
  mexican: 'es',
  naustrian: 'de',
  newzealand: 'en',
  ngerman: 'de',
  norsk: 'nb',
  nswissgerman: 'de',
  nynorsk: 'nn',
  polutonikogreek: 'el',
  portuges: 'pt',
  scottish: 'gd',
  // Of the two, the one that we know is `serbianc`.
  serbian: 'sr-Latn',
  serbianc: 'sr',
  slovene: 'sl',
  swissgerman: 'de',
  ukenglish: 'en',
  usenglish: 'en',
};

/** Returns the languages that a document names as its own; the first that is known counts. */
export function statedLanguages(text: string, format: ProseFormat): StatedLanguage[] {
  const head = text.slice(0, maxHead);
  const top = firstLines(head, maxCommentLines);
  const found: StatedLanguage[] = [];
  const add = (where: StatedLanguage['where'], name: string | undefined) => {
    if (name !== undefined && name.trim() !== '') found.push({ name: name.trim(), where });
  };
  add('comment', ownComment[format].exec(top)?.[1]);
  if (format === 'markdown') {
    const matter = frontMatter.exec(head)?.[2];
    add('frontMatter', matter === undefined ? undefined : frontMatterField.exec(matter)?.[2]);
  }
  if (format === 'latex') {
    add('comment', texComment.exec(top)?.[1]);
    add('frontMatter', texName(mainOption(babel.exec(head)?.[1])));
    add('frontMatter', texName(polyglossia.exec(head)?.[1]));
  }
  return found;
}

/** Tells whether a line of plain text is not prose but says what language follows. */
export function isLanguageLine(line: string): boolean {
  return ownComment.plaintext.test(line);
}

/** babel's main language is the one called so, or else the last. */
function mainOption(options: string | undefined): string | undefined {
  const names = options
    ?.replace(/%.*/g, '')
    .split(',')
    .map((name) => name.trim());
  const main = names?.find((name) => /^main[ \t]*=/.test(name))?.replace(/^main[ \t]*=/, '');
  return main ?? names?.findLast((name) => name !== '' && !/[=.]/.test(name));
}

function texName(name: string | undefined): string | undefined {
  return name === undefined ? undefined : (texNames[name.trim().toLowerCase()] ?? name);
}

function firstLines(text: string, count: number): string {
  let end = -1;
  for (let line = 0; line < count; line++) {
    end = text.indexOf('\n', end + 1);
    if (end < 0) return text;
  }
  return text.slice(0, end);
}
