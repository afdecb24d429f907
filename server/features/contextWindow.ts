import type { Concept } from './sentenceConcepts.ts';

/**
 * Concepts that a concept model sees at most. More make each prediction slower and were not seen
 * in training by the built-in models.
 */
export const contextConcepts = 32;

/** Concepts that it sees at least of a text that has as many. */
const minContextConcepts = 16;

/**
 * Returns the end of a text that a concept model reads.
 *
 * A window of fixed length would begin one sentence later with every sentence that is written, and
 * a tower that remembers its last context would have to read it all again. So the window of a long
 * text begins, among the places where it may, at the concept whose first number is the smallest:
 * the same place for sentence after sentence, until it is too far away or a smaller one comes.
 *
 * Source: the idea is that of content-defined chunking; Muthitacharoen et al. 2001, section 3.1.
 */
export function contextWindow(context: readonly Concept[]): readonly Concept[] {
  if (context.length < contextConcepts) return context;
  const first = context.length - contextConcepts;
  let start = first;
  for (let i = first; i <= context.length - minContextConcepts; i++) {
    if (firstNumber(context[i]) < firstNumber(context[start])) start = i;
  }
  return context.slice(start);
}

function firstNumber(concept: Concept | undefined): number {
  return concept?.embedding[0] ?? 0;
}
