import { pieceTypes } from './sentencePieceProto.ts';
import type { Segment, Segmenter } from './sentencePieceSegmenter.ts';
import { SentencePieceTrie } from './sentencePieceTrie.ts';
import type { SentencePieceVocabulary } from './sentencePieceVocabulary.ts';

/** How much less likely an unknown character is than the rarest piece. reference: kUnkPenalty. */
const unkPenalty = 10;

const float32Max = 3.4028234663852886e38;
const float32MinNormal = 1.1754943508222875e-38;

/**
 * The unigram language model: the segmentation of highest total score, by Viterbi.
 *
 *   best(end) = max over pieces x that end there of best(end − |x|) + score(x)
 *
 * Sums are compared before they are rounded to float32, so that ties fall as they do in the
 * releases up to 0.2.0; 0.2.2 rounds first.
 *
 * Source: Kudo 2018 (arXiv:1804.10959), section 3.2; reference: unigram::Model::EncodeOptimized.
 */
export class UnigramSegmenter implements Segmenter {
  readonly #trie: SentencePieceTrie;
  /** Score by id; NaN for pieces that are not used. */
  readonly #scores: Float64Array;
  readonly #unkId: number;
  readonly #unkScore: number;

  constructor(vocabulary: SentencePieceVocabulary) {
    const { pieces, scores, types, unkId, textIds } = vocabulary;
    let minScore = float32Max;
    // The reference begins with FLT_MIN, the smallest positive number: with log-probabilities,
    // which are all negative, a user-defined symbol costs just over 0.1.
    let maxScore = float32MinNormal;
    for (const id of vocabulary.idsOfType(pieceTypes.normal)) {
      minScore = Math.min(minScore, scores[id] as number);
      maxScore = Math.max(maxScore, scores[id] as number);
    }
    this.#trie = new SentencePieceTrie(textIds);
    this.#unkId = unkId;
    this.#unkScore = Math.fround(minScore - unkPenalty);
    this.#scores = Float64Array.from(scores, (score, id) => {
      if (types[id] === pieceTypes.unused) return Number.NaN;
      if (types[id] !== pieceTypes.userDefined) return score;
      return Math.fround(Buffer.byteLength(pieces[id] as string) * maxScore) - 0.1;
    });
  }

  segment(normalized: string): Segment[] {
    const size = normalized.length;
    const bestScores = new Float32Array(size + 1);
    const starts = new Int32Array(size + 1).fill(-1);
    const ids = new Int32Array(size + 1);

    const offer = (start: number, end: number, id: number, score: number): void => {
      if (starts[end] !== -1 && !(score > (bestScores[end] as number))) return;
      bestScores[end] = score; // rounds to float32
      starts[end] = start;
      ids[end] = id;
    };

    for (let start = 0; start < size; ) {
      const codePoint = normalized.codePointAt(start) as number; // inside the text
      const characterEnd = start + (codePoint > 0xffff ? 2 : 1);
      const scoreHere = bestScores[start] as number;
      let isCharacterKnown = false;
      let node = 0;
      for (let end = start; end < size; ) {
        node = this.#trie.next(node, normalized.charCodeAt(end++));
        if (node === -1) break;
        const id = this.#trie.idAt(node);
        if (id === -1) continue;
        const score = this.#scores[id] as number;
        if (Number.isNaN(score)) continue;
        offer(start, end, id, score + scoreHere);
        if (end === characterEnd) isCharacterKnown = true;
      }
      if (!isCharacterKnown) {
        offer(start, characterEnd, this.#unkId, Math.fround(this.#unkScore + scoreHere));
      }
      start = characterEnd;
    }

    const segments: Segment[] = [];
    for (let end = size; end > 0; end = starts[end] as number) {
      const piece = normalized.slice(starts[end], end);
      segments.push({ piece, id: ids[end] as number });
    }
    return segments.reverse();
  }
}
