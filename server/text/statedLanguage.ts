import {
  frontMatterField,
  frontMatterOf,
  gap,
  headOf,
  ownComments,
  topOf,
} from './documentHead.ts';
import type { ProseFormat } from './proseBlock.ts';

/*
 * What a document says about its own language, in its first lines: in a comment for us or for a
 * TeX editor, in the front matter of Markdown, or to babel and polyglossia. And about the language
 * that is to be suggested in it: in a comment for us and in front matter.
 */

/** A language as a document names it, and where it does. */
export interface StatedLanguage {
  readonly name: string;
  readonly where: 'comment' | 'frontMatter';
}

const commentName = '(\\S[^\\r\\n]{0,63}?)';
const fieldName = '[^\\s"\'#][^"\'#\\r\\n]{0,63}?';
const ownComment = ownComments(`lang(?:uage)?${gap}=${gap}${commentName}`);
const field = frontMatterField('lang(?:uage)?', fieldName);
const targetComment = ownComments(`target${gap}=${gap}${commentName}`);
const targetField = frontMatterField('(?:thoughtline-target|target-language)', fieldName);

const texComment = new RegExp(
  `^${gap}%${gap}!TeX${gap}spellcheck${gap}=${gap}(\\S{1,64})${gap}$`,
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
  const head = headOf(text);
  const top = topOf(head);
  const found = [...stated('comment', ownComment[format].exec(top)?.[1])];
  if (format === 'markdown') {
    found.push(...stated('frontMatter', field.exec(frontMatterOf(head) ?? '')?.[2]));
  }
  if (format === 'latex') {
    found.push(
      ...stated('comment', texComment.exec(top)?.[1]),
      ...stated('frontMatter', texName(mainOption(babel.exec(head)?.[1]))),
      ...stated('frontMatter', texName(polyglossia.exec(head)?.[1])),
    );
  }
  return found;
}

/** Returns the languages that a document wants to be written on in; the first that is known counts. */
export function statedTargets(text: string, format: ProseFormat): StatedLanguage[] {
  const head = headOf(text);
  const matter = format === 'markdown' ? (frontMatterOf(head) ?? '') : '';
  return [
    ...stated('comment', targetComment[format].exec(topOf(head))?.[1]),
    ...stated('frontMatter', targetField.exec(matter)?.[2]),
  ];
}

/** Tells whether a line of plain text is not prose but says a language. */
export function isLanguageLine(line: string): boolean {
  return ownComment.plaintext.test(line) || targetComment.plaintext.test(line);
}

function stated(where: StatedLanguage['where'], name: string | undefined): StatedLanguage[] {
  return name === undefined || name.trim() === '' ? [] : [{ name: name.trim(), where }];
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
