import {
  CheckpointFormatError,
  CheckpointUnsupportedError,
  InvalidRequestError,
} from '../base/errors.ts';
import { type EncodedText, SentencePieceModel } from './sentencePieceModel.ts';

/*
 * Token ids as in the official checkpoints. fairseq2 puts <pad> before the SentencePiece ids and
 * the languages and data tags after them:
 *
 *   0 <pad> | 1 <unk> | 2 <s> | 3 </s> | 4 … n  piece id − 1 | n + 1 … languages | 3 data tags
 *
 * with n pieces; 256 000 in SONAR, so languages begin at 256 001.
 *
 * reference: NllbTokenizer of fairseq2 0.4.
 */

export const padId = 0;
export const unkId = 1;
export const bosId = 2;
export const eosId = 3;

/** How far the SentencePiece ids move because of <pad>. */
const idShift = 1;

/** Training data tags, which take ids but are never used here. */
const dataTags = ['<MINED_DATA>', '<MMT_BT_DATA>', '<SMT_BT_DATA>'];

/** SONAR has 202; beyond a few thousand it is not a list of languages. */
const maxLangs = 4096;

/** Text ⇄ token ids of a SONAR encoder or decoder. */
export class SonarTokenizer {
  /** FLORES-200 codes in id order: `eng_Latn`, whose token is `__eng_Latn__`. */
  readonly langs: readonly string[];
  readonly #model: SentencePieceModel;
  readonly #langIds: ReadonlyMap<string, number>;

  /**
   * @param bytes  a SentencePiece model whose first pieces are `<unk>`, `<s>`, `</s>`
   * @param langs  the codes in id order
   * @param label  what error messages call the file
   * @throws CheckpointFormatError when the file is malformed or a language is there twice
   * @throws CheckpointUnsupportedError when the model is of another type or layout
   */
  static fromBytes(
    bytes: Uint8Array,
    langs: readonly string[],
    label = 'tokenizer.model',
  ): SonarTokenizer {
    const model = SentencePieceModel.fromBytes(bytes, label);
    checkLayout(model, label);
    checkLangs(langs, label);
    return new SonarTokenizer(model, langs);
  }

  private constructor(model: SentencePieceModel, langs: readonly string[]) {
    this.#model = model;
    this.langs = [...langs];
    const firstLangId = model.size + idShift;
    this.#langIds = new Map(langs.map((lang, index) => [lang, firstLangId + index]));
  }

  /** All ids are below it; the rows of the embedding table. */
  get vocabSize(): number {
    return this.#model.size + idShift + this.langs.length + dataTags.length;
  }

  /** @throws InvalidRequestError when the language is not one of `langs` */
  langId(lang: string): number {
    const id = this.#langIds.get(lang);
    if (id !== undefined) return id;
    const similar = similarLangs(lang, this.langs);
    const hint = similar.length > 0 ? `, such as ${similar.join(', ')}` : '';
    const expected = `expected one of ${this.langs.length} known ones${hint}`;
    throw new InvalidRequestError(`language ${JSON.stringify(shorten(lang))}: ${expected}`);
  }

  /**
   * Returns the encoder's input: the language, the pieces of `text`, `</s>`.
   *
   * @throws InvalidRequestError when the language is not one of `langs`
   */
  encodeSource(text: string, lang: string): number[] {
    return [this.langId(lang), ...this.#encode(text), eosId];
  }

  /**
   * Returns what a decoder should say: `</s>`, the language, the pieces of `text`, `</s>`.
   *
   * @throws InvalidRequestError when the language is not one of `langs`
   */
  encodeTarget(text: string, lang: string): number[] {
    return [...this.prompt(lang), ...this.#encode(text), eosId];
  }

  /**
   * Returns `encodeSource` together with what each token stands for.
   *
   * @throws InvalidRequestError when the language is not one of `langs`
   */
  encodePieces(text: string, lang: string): EncodedText {
    const langId = this.langId(lang);
    const { ids, pieces } = this.#model.encodePieces(text);
    return {
      ids: [langId, ...ids.map((id) => id + idShift), eosId],
      pieces: [`__${lang}__`, ...pieces, '</s>'],
    };
  }

  /**
   * Returns what a decoder starts from.
   *
   * @throws InvalidRequestError when the language is not one of `langs`
   */
  prompt(lang: string): [number, number] {
    return [eosId, this.langId(lang)];
  }

  /**
   * Returns the text of `ids`. Special tokens, languages among them, become nothing.
   *
   * @throws InvalidRequestError when an id is not below `vocabSize`
   */
  decode(ids: Iterable<number>): string {
    return this.#model.decode(this.#pieceIds(ids));
  }

  /** Turns ids into those of SentencePiece; `<s>` stands for the tokens it does not know. */
  *#pieceIds(ids: Iterable<number>): Generator<number> {
    for (const id of ids) {
      if (!Number.isInteger(id) || id < 0 || id >= this.vocabSize) {
        throw new InvalidRequestError(`token id: expected 0 to ${this.vocabSize - 1}, found ${id}`);
      }
      const isPiece = id !== padId && id < this.#model.size + idShift;
      yield isPiece ? id - idShift : bosId - idShift;
    }
  }

  #encode(text: string): number[] {
    return this.#model.encode(text).map((id) => id + idShift);
  }
}

function checkLayout(model: SentencePieceModel, label: string): void {
  const isAsExpected =
    model.size > eosId - idShift &&
    model.isUnknown(unkId - idShift) &&
    model.isControl(bosId - idShift) &&
    model.isControl(eosId - idShift) &&
    model.idToPiece(bosId - idShift) === '<s>' &&
    model.idToPiece(eosId - idShift) === '</s>';
  if (isAsExpected) return;
  const found = Array.from({ length: Math.min(3, model.size) }, (_, id) => model.idToPiece(id));
  throw new CheckpointUnsupportedError(
    `${label}: expected the pieces <unk>, <s>, </s> first, found ${found.map(shorten).join(', ')}`,
  );
}

function checkLangs(langs: readonly string[], label: string): void {
  if (langs.length > maxLangs) {
    throw new CheckpointFormatError(
      `${label}: expected at most ${maxLangs} languages, found ${langs.length}`,
    );
  }
  const seen = new Set<string>();
  for (const lang of langs) {
    if (seen.has(lang)) {
      throw new CheckpointFormatError(`${label}: language ${shorten(lang)} is listed twice`);
    }
    seen.add(lang);
  }
}

/** Keeps an error message readable whatever was given. */
function shorten(name: string): string {
  return name.length > 40 ? `${name.slice(0, 40)}…` : name;
}

/** Returns up to three codes that `lang` may have meant: same language, then same beginning. */
function similarLangs(lang: string, langs: readonly string[]): string[] {
  const wanted = lang.toLowerCase();
  const likeness = (code: string): number => {
    const known = code.toLowerCase();
    let length = 0;
    while (length < known.length && known[length] === wanted[length]) length++;
    return length;
  };
  return langs
    .map((code) => ({ code, shared: likeness(code) }))
    .filter(({ shared }) => shared >= 2)
    .sort((a, b) => b.shared - a.shared)
    .slice(0, 3)
    .map(({ code }) => code);
}
