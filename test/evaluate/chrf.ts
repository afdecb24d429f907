/*
 * chrF of a corpus: character 1- to 6-grams, β = 2, spaces ignored.
 *
 *   F_β = (1 + β²) P R / (β² P + R), per order, averaged over the orders
 *
 * Source: Popović 2015 (doi:10.18653/v1/W15-3049). training/evaluation/chrf.py is the same in Python.
 */

const maxOrder = 6;
const beta = 2;

/** Returns 0 … 100; counts are summed over the corpus. */
export function chrf(hypotheses: readonly string[], references: readonly string[]): number {
  const characters = (text: string) => Array.from(text.replace(/\s+/gu, ''));
  const h = hypotheses.map(characters);
  const r = references.map(characters);
  let sum = 0;
  for (let order = 1; order <= maxOrder; order++) {
    const { matches, guessed, expected } = countMatches(h, r, order);
    const precision = matches / Math.max(1, guessed);
    const recall = matches / Math.max(1, expected);
    const weighted = beta ** 2 * precision + recall;
    if (weighted > 0) sum += ((1 + beta ** 2) * precision * recall) / weighted;
  }
  return (100 * sum) / maxOrder;
}

/** N-grams of hypotheses, of references, and those that both have. */
export interface Matches {
  matches: number;
  guessed: number;
  expected: number;
}

/** Counts the n-grams of one order over a corpus; the parts of a sentence are characters or words. */
export function countMatches(
  hypotheses: readonly (readonly string[])[],
  references: readonly (readonly string[])[],
  order: number,
): Matches {
  const total: Matches = { matches: 0, guessed: 0, expected: 0 };
  for (const [i, hypothesis] of hypotheses.entries()) {
    const found = countNgrams(hypothesis, order);
    const wanted = countNgrams(references[i] ?? [], order);
    for (const [ngram, count] of found) {
      total.guessed += count;
      total.matches += Math.min(count, wanted.get(ngram) ?? 0);
    }
    for (const count of wanted.values()) total.expected += count;
  }
  return total;
}

function countNgrams(parts: readonly string[], order: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (let i = 0; i + order <= parts.length; i++) {
    const ngram = parts.slice(i, i + order).join('\u0000');
    counts.set(ngram, (counts.get(ngram) ?? 0) + 1);
  }
  return counts;
}
