import type { Segment, Segmenter } from './sentencePieceSegmenter.ts';

/** Holds the words of a long document; about 5 MB when full. */
const maxWords = 16_384;

/** Longer words hardly come back. */
const maxWordLength = 32;

type Boundary = 'beforeSpace' | 'afterSpace';

/**
 * Remembers the segments of the words it has seen, for a segmenter that merges locally.
 *
 * No merge crosses a boundary that no piece crosses, so the words between such boundaries are
 * segmented as they would be in the whole text. Boundaries lie before a run of spaces, or after
 * one in models that write spaces as suffixes; where pieces cross both, the whole text is one word.
 */
export class WordCache implements Segmenter {
  readonly #segmenter: Segmenter;
  readonly #space: string;
  readonly #boundary: Boundary | null;
  readonly #words = new Map<string, readonly Segment[]>();

  /**
   * @param pieces  all that text can become
   * @param space   what stands for a space in them, one UTF-16 code unit
   */
  constructor(segmenter: Segmenter, pieces: Iterable<string>, space: string) {
    this.#segmenter = segmenter;
    this.#space = space;
    this.#boundary = findBoundary(pieces, space);
  }

  segment(normalized: string): Segment[] {
    const segments: Segment[] = [];
    for (let start = 0; start < normalized.length; ) {
      const end = this.#wordEnd(normalized, start);
      for (const segment of this.#segmentWord(normalized.slice(start, end))) segments.push(segment);
      start = end;
    }
    return segments;
  }

  #segmentWord(word: string): readonly Segment[] {
    if (word.length > maxWordLength) return this.#segmenter.segment(word);
    const known = this.#words.get(word);
    const segments = known ?? this.#segmenter.segment(word);
    // A map keeps the order of insertion, so its first word is the one unused for longest.
    if (known) this.#words.delete(word);
    this.#words.set(word, segments);
    if (this.#words.size > maxWords) {
      for (const oldest of this.#words.keys()) {
        this.#words.delete(oldest);
        break;
      }
    }
    return segments;
  }

  #wordEnd(normalized: string, start: number): number {
    if (!this.#boundary) return normalized.length;
    let end = start;
    do {
      end = normalized.indexOf(this.#space, end + 1);
      if (end === -1) return normalized.length;
    } while (normalized[end - 1] === this.#space);
    if (this.#boundary === 'beforeSpace') return end;
    while (normalized[end] === this.#space) end++;
    return end;
  }
}

function findBoundary(pieces: Iterable<string>, space: string): Boundary | null {
  let isFreeBefore = true;
  let isFreeAfter = true;
  for (const piece of pieces) {
    for (let at = piece.indexOf(space); at !== -1; at = piece.indexOf(space, at + 1)) {
      if (at > 0 && piece[at - 1] !== space) isFreeBefore = false;
      if (at + 1 < piece.length && piece[at + 1] !== space) isFreeAfter = false;
    }
    if (!isFreeBefore && !isFreeAfter) return null;
  }
  return isFreeBefore ? 'beforeSpace' : 'afterSpace';
}
