import { assert, IntegrityError } from '../base/errors.ts';

/*
 * The tokens of a decoder's graph. Everybody else counts tokens as the tokenizer does; here the
 * two ways of counting meet.
 */

/** Ids of the tokenizer ⇄ places in the vocabulary of graph `step`. */
export interface DecoderVocabulary {
  /** V of the graph. */
  readonly size: number;
  /** Returns the place of a token that the graph knows. */
  placeOf(id: number): number;
  /** Returns the ids of tokens that the graph named. */
  idsOf(places: BigInt64Array): BigInt64Array;
}

/** The vocabulary of a decoder that knows every token: places are ids. */
export function wholeVocabulary(size: number): DecoderVocabulary {
  return { size, placeOf: (id) => id, idsOf: (places) => places };
}

/**
 * Reads the vocabulary of a decoder that was compiled for some languages.
 *
 * @param bytes      little-endian int32: the ids of its tokens, ascending
 * @param vocabSize  all ids are below it
 * @param needed     tokens without which nothing can be decoded
 * @throws IntegrityError when the ids are not ascending, not in the vocabulary, or lack one
 */
export function parseShortlist(
  bytes: Uint8Array,
  { vocabSize, needed, label }: { vocabSize: number; needed: readonly number[]; label: string },
): DecoderVocabulary {
  const width = Int32Array.BYTES_PER_ELEMENT;
  const size = bytes.byteLength / width;
  if (!Number.isInteger(size) || size === 0 || size > vocabSize) {
    throw new IntegrityError(
      `${label}: expected 1 to ${vocabSize} tokens of ${width} bytes, ` +
        `found ${bytes.byteLength} bytes`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const ids = new Int32Array(size);
  const places = new Map<number, number>();
  let previous = -1;
  for (let place = 0; place < size; place++) {
    const id = view.getInt32(place * width, true);
    if (id <= previous || id >= vocabSize) {
      throw new IntegrityError(
        `${label}: expected a token from ${previous + 1} to ${vocabSize - 1} at place ${place}, ` +
          `found ${id}`,
      );
    }
    ids[place] = id;
    places.set(id, place);
    previous = id;
  }
  const missing = needed.find((id) => !places.has(id));
  if (missing !== undefined) {
    throw new IntegrityError(`${label}: expected token ${missing} among ${size}, found it missing`);
  }
  return new Shortlist(ids, places);
}

class Shortlist implements DecoderVocabulary {
  readonly #ids: Int32Array;
  readonly #places: ReadonlyMap<number, number>;

  constructor(ids: Int32Array, places: ReadonlyMap<number, number>) {
    this.#ids = ids;
    this.#places = places;
  }

  get size(): number {
    return this.#ids.length;
  }

  placeOf(id: number): number {
    const place = this.#places.get(id);
    assert(place !== undefined, `token ${id}: expected one of the shortlist, found another`);
    return place;
  }

  idsOf(places: BigInt64Array): BigInt64Array {
    return places.map((place) => {
      const id = this.#ids[Number(place)];
      assert(id !== undefined, `place ${place}: expected one below ${this.size}`);
      return BigInt(id);
    });
  }
}
