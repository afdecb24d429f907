import type { Confidence } from '../inference/inference.ts';

/*
 * How sure a suggestion is: the probability that it is well-formed and at least as near to what the
 * writer writes next as a neighbouring sentence usually is. What that means exactly, and how the
 * coefficients were found, is in test/evaluate/confidence.ts.
 */

/** What is known of a sentence that a model wrote. */
export interface Signals {
  text: string;
  /** Cosine of it, read again, and the nearest prediction that it was not written from. */
  agreement: number;
  /** Cosine of it, read again, and the prediction that it was written from. */
  fidelity: number;
  /** Log-probability per token of the decoder. */
  score: number;
  /** − log p per byte of the entropy model, in nats; null without one. */
  surprisal: number | null;
}

/**
 * Returns the values that coefficients belong to, in the order of `coefficientNames`; null where one
 * is not known.
 */
export function valuesOf({ text, ...signals }: Signals): number[] | null {
  const { agreement, fidelity, score, surprisal } = signals;
  if (surprisal === null || text === '') return null;
  return [agreement, fidelity, score, surprisal, Math.log(text.length)];
}

export const coefficientNames = [
  'support',
  'agreement',
  'score',
  'surprisal',
  'logLength',
] as const satisfies readonly (keyof Confidence)[];

/** p = 1 / (1 + e^−x) */
export function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/**
 * Returns the probability that a sentence is worth showing; null where the model tells nothing.
 *
 * @param lang  FLORES-200 code of the sentence
 */
export function confidenceOf(
  signals: Signals,
  entry: Confidence | null,
  lang: string,
): number | null {
  const values = valuesOf(signals);
  if (entry === null || values === null || !entry.langs.includes(lang)) return null;
  const terms = coefficientNames.map((name, i) => entry[name] * (values[i] ?? 0));
  return sigmoid(terms.reduce((sum, term) => sum + term, entry.bias));
}
