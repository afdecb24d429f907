import { cosine } from '../tensor/vector.ts';
import type { Concept } from './sentenceConcepts.ts';

/** A sentence and how near in meaning it is. */
export interface Neighbour {
  /** Its place in the list that was searched. */
  index: number;
  text: string;
  /** Cosine of the two embeddings. */
  score: number;
}

/**
 * Finds the concepts nearest to one, best first. The same wording elsewhere counts; the concept
 * itself does not.
 *
 * @param self  the place of the query in `concepts`, or −1 when it is not among them
 */
export function nearestConcepts(
  query: Float32Array,
  concepts: readonly Concept[],
  count: number,
  self: number,
): Neighbour[] {
  return concepts
    .map(({ text, embedding }, index) => ({ index, text, score: cosine(query, embedding) }))
    .filter(({ index }) => index !== self)
    .sort((a, b) => b.score - a.score)
    .slice(0, count);
}
