import { InvalidRequestError } from '../base/errors.ts';
import { BpeSegmenter } from './sentencePieceBpe.ts';
import { SentencePieceNormalizer, spaceSymbol } from './sentencePieceNormalizer.ts';
import {
  pieceTypes,
  readSentencePieceProto,
  type SentencePieceProto,
} from './sentencePieceProto.ts';
import type { Segmenter } from './sentencePieceSegmenter.ts';
import { SentencePieceTrie } from './sentencePieceTrie.ts';
import { UnigramSegmenter } from './sentencePieceUnigram.ts';
import { pieceToByte, SentencePieceVocabulary } from './sentencePieceVocabulary.ts';
import { WordCache } from './sentencePieceWordCache.ts';

/** A text as pieces: ids and, in step with them, what they stand for in the normalised text. */
export interface EncodedText {
  ids: number[];
  pieces: string[];
}

/**
 * A SentencePiece model, BPE or unigram, read from its own file.
 * Text that is not well-formed UTF-16 is read with U+FFFD in place of each lone surrogate.
 *
 * Source: Kudo and Richardson 2018 (arXiv:1808.06226); reference: SentencePieceProcessor.
 */
export class SentencePieceModel {
  readonly #vocabulary: SentencePieceVocabulary;
  readonly #proto: SentencePieceProto;
  readonly #normalizer: SentencePieceNormalizer;
  readonly #denormalizer: SentencePieceNormalizer | null;
  readonly #segmenter: Segmenter;

  /**
   * @param label  what error messages call the file
   * @throws CheckpointFormatError when the file is malformed
   * @throws CheckpointUnsupportedError when the model is neither BPE nor unigram
   */
  static fromBytes(bytes: Uint8Array, label: string): SentencePieceModel {
    return new SentencePieceModel(readSentencePieceProto(bytes, label));
  }

  private constructor(proto: SentencePieceProto) {
    const { label, trainerSpec, normalizerSpec, denormalizerSpec } = proto;
    const vocabulary = new SentencePieceVocabulary(proto);
    const userDefined = userDefinedTrie(vocabulary);
    this.#proto = proto;
    this.#vocabulary = vocabulary;
    this.#normalizer = new SentencePieceNormalizer(
      normalizerSpec,
      `${label}: normalizer_spec`,
      trainerSpec.treatWhitespaceAsSuffix,
      userDefined,
    );
    this.#denormalizer = denormalizerSpec?.precompiledCharsmap.length
      ? new SentencePieceNormalizer(denormalizerSpec, `${label}: denormalizer_spec`, false, null)
      : null;
    this.#segmenter =
      trainerSpec.modelType === 'bpe'
        ? bpeSegmenter(vocabulary, userDefined, this.#normalizer.space)
        : new UnigramSegmenter(vocabulary);
  }

  /** How many pieces there are; ids are below it. */
  get size(): number {
    return this.#vocabulary.pieces.length;
  }

  /** Returns the id of `piece`, or that of the unknown piece. */
  pieceToId(piece: string): number {
    return this.#vocabulary.pieceToId(piece);
  }

  /** @throws InvalidRequestError when there is no such id */
  idToPiece(id: number): string {
    const piece = this.#vocabulary.pieces[id];
    if (piece === undefined) {
      throw new InvalidRequestError(`token id: expected 0 to ${this.size - 1}, found ${id}`);
    }
    return piece;
  }

  isControl(id: number): boolean {
    return this.#vocabulary.isType(id, pieceTypes.control);
  }

  isUnknown(id: number): boolean {
    return this.#vocabulary.isType(id, pieceTypes.unknown);
  }

  /** Returns `text` in the form that pieces are written in. */
  normalize(text: string): string {
    return this.#normalizer.normalize(text);
  }

  encode(text: string): number[] {
    return this.encodePieces(text).ids;
  }

  /**
   * Encodes `text`. A run of unknown characters becomes one unknown id, or the ids of its bytes
   * with byte fallback. Control symbols never come from text.
   *
   * reference: SentencePieceProcessor::PopulateSentencePieceText.
   */
  encodePieces(text: string): EncodedText {
    const { unkId, byteIds, pieces: names } = this.#vocabulary;
    const ids: number[] = [];
    const pieces: string[] = [];
    let isPreviousUnknown = false;
    for (const { piece, id } of this.#segmenter.segment(this.normalize(text))) {
      const isUnknown = id === unkId;
      if (isUnknown && byteIds) {
        for (const byte of Buffer.from(piece)) {
          const byteId = byteIds[byte] as number; // one for every byte
          ids.push(byteId);
          pieces.push(names[byteId] as string);
        }
      } else if (isUnknown && isPreviousUnknown) {
        pieces[pieces.length - 1] += piece;
      } else {
        ids.push(id);
        pieces.push(piece);
      }
      isPreviousUnknown = isUnknown;
    }
    return { ids, pieces };
  }

  /**
   * Returns the text that `ids` stand for. Control symbols become nothing, unknown ones ` ⁇ `.
   *
   * reference: SentencePieceProcessor::Decode.
   *
   * @throws InvalidRequestError when there is no such id
   */
  decode(ids: Iterable<number>): string {
    const { normalizerSpec } = this.#proto;
    const stripsSpace = normalizerSpec.addDummyPrefix || normalizerSpec.removeExtraWhitespaces;
    let text = '';
    let bytes: number[] = [];
    // The dummy prefix is taken away once; all leading spaces are, where the model removes them.
    let isAtStart = true;
    let isPrefixSeen = false;

    for (const id of ids) {
      const piece = this.idToPiece(id);
      if (this.#vocabulary.isType(id, pieceTypes.byte)) {
        bytes.push(pieceToByte(piece));
        continue;
      }
      text += decodeBytes(bytes);
      bytes = [];
      if (isPrefixSeen || text !== '') isAtStart = false;
      isPrefixSeen = false;
      if (this.isControl(id)) continue;
      if (this.isUnknown(id)) {
        text += this.#proto.trainerSpec.unkSurface;
        continue;
      }
      const isPrefix = isAtStart && stripsSpace && piece.startsWith(spaceSymbol);
      isPrefixSeen = isPrefix && !normalizerSpec.removeExtraWhitespaces;
      text += (isPrefix ? piece.slice(1) : piece).replaceAll(spaceSymbol, ' ');
    }
    text += decodeBytes(bytes);
    return this.#denormalizer ? this.#denormalizer.normalize(text) : text;
  }
}

function userDefinedTrie(vocabulary: SentencePieceVocabulary): SentencePieceTrie | null {
  const ids = vocabulary.idsOfType(pieceTypes.userDefined);
  if (ids.length === 0) return null;
  return new SentencePieceTrie(new Map(ids.map((id) => [vocabulary.pieces[id] as string, id])));
}

/** How an unused piece is taken apart depends on the whole text, so it forbids the word cache. */
function bpeSegmenter(
  vocabulary: SentencePieceVocabulary,
  userDefined: SentencePieceTrie | null,
  space: string,
): Segmenter {
  const segmenter = new BpeSegmenter(vocabulary, userDefined);
  if (vocabulary.types.includes(pieceTypes.unused)) return segmenter;
  return new WordCache(segmenter, vocabulary.textIds.keys(), space);
}

/**
 * Decodes a run of byte pieces; each byte that is not part of a character becomes U+FFFD.
 * (TextDecoder would make one U+FFFD of a truncated character.)
 */
function decodeBytes(bytes: readonly number[]): string {
  let text = '';
  for (let start = 0; start < bytes.length; ) {
    const lead = bytes[start] as number;
    const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    const encoded = Buffer.from(bytes.slice(start, start + length));
    const character = encoded.toString();
    const isValid = Buffer.from(character).equals(encoded);
    text += isValid ? character : '\ufffd';
    start += isValid ? length : 1;
  }
  return text;
}
