import { InvalidRequestError } from '../base/errors.ts';
import type { VocabInfo } from '../model/config.ts';

/*
 * A shortlist: the tokens that a decoder needs to write some languages. The projection to the
 * vocabulary and the table of tokens are cut down to it.
 *
 * It is chosen by scripts, not by words: which of the Latin pieces are French, no tokenizer tells.
 * So a shortlist for English keeps the pieces of every language in Latin script, and one for
 * Russian cannot write a name in Latin letters.
 */

/** The part of a vocabulary that a decoder is compiled for. */
export interface Shortlist {
  /** The languages that it is for, in the order of their tokens. */
  langs: readonly string[];
  /** Of its tokens, ascending. */
  ids: Int32Array;
}

export interface Vocabulary {
  /** In the order of their tokens. */
  langs: readonly string[];
  /** What each piece of the tokenizer writes; null for what is needed whatever the language. */
  pieces: readonly (string | null)[];
  vocabInfo: VocabInfo;
}

/** fairseq2 puts `<pad>` before the pieces. */
const firstPieceId = 1;

/**
 * ISO 15924 codes for several scripts together, as Unicode names each; the other codes are names
 * of Unicode themselves. Korean has Chinese characters, also where its code says Hangul.
 */
const combinedScripts: Readonly<Record<string, readonly string[]>> = {
  Jpan: ['Han', 'Hiragana', 'Katakana'],
  Kore: ['Hangul', 'Han'],
  Hang: ['Hangul', 'Han'],
  Hans: ['Han', 'Bopomofo'],
  Hant: ['Han', 'Bopomofo'],
};

/** Digits, punctuation, symbols and emoji, and accents that take the script of their letter. */
const sharedScripts = ['Common', 'Inherited'];

/**
 * Chooses the tokens for some languages of a vocabulary: every token that is no piece of text, and
 * the pieces whose characters all belong to the languages' scripts or to all scripts.
 *
 * @throws InvalidRequestError for a language that is not in the vocabulary, and for one whose code
 *   names no script
 */
export function chooseShortlist(
  wanted: readonly string[],
  { langs, pieces, vocabInfo }: Vocabulary,
): Shortlist {
  const unknown = wanted.find((lang) => !langs.includes(lang));
  if (unknown !== undefined) {
    throw new InvalidRequestError(
      `vocabulary language ${unknown}: expected one of the model's languages, found another`,
    );
  }
  const { unkIdx, bosIdx, eosIdx, padIdx } = vocabInfo;
  const control = [unkIdx, bosIdx, eosIdx, padIdx];
  const isWritten = textIn(wanted);
  const ids: number[] = [];
  for (let id = 0; id < vocabInfo.size; id++) {
    // Behind the pieces come languages and data tags: no text either.
    const text = pieces[id - firstPieceId] ?? null;
    if (text === null || control.includes(id) || isWritten(text)) ids.push(id);
  }
  return { langs: langs.filter((lang) => wanted.includes(lang)), ids: Int32Array.from(ids) };
}

/** Returns what tells whether a text is in the scripts of some languages, or in none. */
function textIn(langs: readonly string[]): (text: string) => boolean {
  const scripts = [...new Set([...sharedScripts, ...langs.flatMap(scriptsOf)])];
  const text = new RegExp(`^[${scripts.map((script) => `\\p{Script=${script}}`).join('')}]*$`, 'u');
  return (piece) => text.test(piece);
}

/** Returns the scripts of a language by its code, such as `jpn_Jpan`, as Unicode calls them. */
function scriptsOf(lang: string): readonly string[] {
  const [, code] = /_([A-Z][a-z]{3})$/.exec(lang) ?? [];
  const scripts = code === undefined ? [] : (combinedScripts[code] ?? [code]);
  if (scripts.length > 0 && scripts.every(isScript)) return scripts;
  throw new InvalidRequestError(
    `vocabulary language ${lang}: expected a code that ends with a script, such as eng_Latn`,
  );
}

function isScript(name: string): boolean {
  try {
    return new RegExp(`\\p{Script=${name}}`, 'u').unicode;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}
