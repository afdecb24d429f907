import { pieceTypes } from './sentencePieceProto.ts';
import type { Segment, Segmenter } from './sentencePieceSegmenter.ts';
import type { SentencePieceTrie } from './sentencePieceTrie.ts';
import type { SentencePieceVocabulary } from './sentencePieceVocabulary.ts';

/** No neighbour on this side. */
const none = -1;

/**
 * Byte-pair encoding: from characters, always merges the adjacent pair whose concatenation
 * is the piece of highest score, the leftmost first among equals, until no pair is a piece.
 * A heap of candidate pairs makes it O(n log n).
 *
 * Source: Sennrich et al. 2016 (arXiv:1508.07909); reference: bpe::Model::SampleEncode.
 */
export class BpeSegmenter implements Segmenter {
  readonly #vocabulary: SentencePieceVocabulary;
  readonly #userDefined: SentencePieceTrie | null;
  readonly #maxPieceLength: number;

  constructor(vocabulary: SentencePieceVocabulary, userDefined: SentencePieceTrie | null) {
    this.#vocabulary = vocabulary;
    this.#userDefined = userDefined;
    this.#maxPieceLength = vocabulary.pieces.reduce((max, { length }) => Math.max(max, length), 0);
  }

  segment(normalized: string): Segment[] {
    const symbols = this.#splitSymbols(normalized);
    const merges = new MergeQueue();
    const unusedMerges = new Map<string, number>();

    const propose = (left: number, right: number): void => {
      if (left === none || right === none) return;
      if (symbols.isFrozen[left] || symbols.isFrozen[right]) return;
      const leftLength = symbols.lengths[left] as number;
      const length = leftLength + (symbols.lengths[right] as number);
      if (length > this.#maxPieceLength) return;
      const start = symbols.starts[left] as number;
      const piece = normalized.slice(start, start + length);
      const id = this.#vocabulary.textIds.get(piece);
      if (id === undefined) return;
      merges.push({ left, right, length, score: this.#vocabulary.scores[id] as number });
      if (this.#vocabulary.isType(id, pieceTypes.unused)) unusedMerges.set(piece, leftLength);
    };

    for (let index = 1; index < symbols.starts.length; index++) propose(index - 1, index);
    for (let merge = merges.pop(); merge; merge = merges.pop()) {
      const { left, right, length } = merge;
      const leftLength = symbols.lengths[left] as number;
      const rightLength = symbols.lengths[right] as number;
      // One of the two was merged with another neighbour in the meantime.
      if (leftLength === 0 || rightLength === 0 || leftLength + rightLength !== length) continue;

      const next = symbols.next[right] as number;
      symbols.lengths[left] = length;
      symbols.lengths[right] = 0;
      symbols.next[left] = next;
      if (next !== none) symbols.previous[next] = left;
      propose(symbols.previous[left] as number, left);
      propose(left, next);
    }

    const segments: Segment[] = [];
    for (let index = symbols.starts.length > 0 ? 0 : none; index !== none; ) {
      const start = symbols.starts[index] as number;
      const piece = normalized.slice(start, start + (symbols.lengths[index] as number));
      this.#pushUsed(piece, unusedMerges, segments);
      index = symbols.next[index] as number;
    }
    return segments;
  }

  #splitSymbols(normalized: string) {
    const starts: number[] = [];
    const lengths: number[] = [];
    const isFrozen: boolean[] = [];
    for (let position = 0; position < normalized.length; ) {
      const userDefinedLength = this.#userDefined?.longestMatch(normalized, position) ?? 0;
      const codePoint = normalized.codePointAt(position) as number; // inside the text
      const length = userDefinedLength || (codePoint > 0xffff ? 2 : 1);
      starts.push(position);
      lengths.push(length);
      isFrozen.push(userDefinedLength > 0);
      position += length;
    }
    const previous = starts.map((_, index) => index - 1);
    const next = starts.map((_, index) => (index + 1 < starts.length ? index + 1 : none));
    return { starts, lengths, isFrozen, previous, next };
  }

  /** Appends `piece`, or, where it is an unused one, what it was merged from. */
  #pushUsed(piece: string, unusedMerges: ReadonlyMap<string, number>, segments: Segment[]): void {
    const { textIds, unkId } = this.#vocabulary;
    const id = textIds.get(piece) ?? unkId;
    const leftLength = unusedMerges.get(piece);
    if (leftLength === undefined) {
      segments.push({ piece, id });
      return;
    }
    this.#pushUsed(piece.slice(0, leftLength), unusedMerges, segments);
    this.#pushUsed(piece.slice(leftLength), unusedMerges, segments);
  }
}

/** Two adjacent symbols, by index, that together are a piece. */
interface Merge {
  left: number;
  right: number;
  /** UTF-16 code units of both when the merge was proposed. */
  length: number;
  score: number;
}

/** A binary heap of merges: highest score first, then leftmost. */
class MergeQueue {
  readonly #heap: Merge[] = [];

  push(merge: Merge): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(merge);
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = heap[parentIndex] as Merge;
      if (!comesBefore(merge, parent)) break;
      heap[index] = parent;
      index = parentIndex;
    }
    heap[index] = merge;
  }

  pop(): Merge | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (heap.length === 0 || !last) return top;
    let index = 0;
    for (;;) {
      let childIndex = 2 * index + 1;
      if (childIndex >= heap.length) break;
      const sibling = heap[childIndex + 1];
      if (sibling && comesBefore(sibling, heap[childIndex] as Merge)) childIndex++;
      const child = heap[childIndex] as Merge;
      if (!comesBefore(child, last)) break;
      heap[index] = child;
      index = childIndex;
    }
    heap[index] = last;
    return top;
  }
}

function comesBefore(a: Merge, b: Merge): boolean {
  return a.score > b.score || (a.score === b.score && a.left < b.left);
}
