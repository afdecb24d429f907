import { cosine, dot, norm } from '../tensor/vector.ts';
import type { ConceptSpace } from './conceptSpace.ts';
import type { GeneratedSentence } from './nextSentences.ts';

/*
 * Which of many sentences are worth showing to a writer, in which order. Meaning decides, not
 * wording: what the concept model meant, what the sentence says when it is read again, and what
 * stands in the text already.
 */

/** Times the sentences that are wanted: so many are predicted, and the best are kept. */
export const overSampling = 2;

/**
 * Cosine in the concept space from which on two sentences say the same.
 *
 * Of the built-in model's held-out paraphrases three quarters are nearer than 0.78, of its
 * neighbouring sentences one in a hundred is nearer than 0.72 (training/evaluation_set.py).
 */
export const sameIdea = 0.8;

/** A sentence that the models wrote, read again. */
export interface GeneratedCandidate extends GeneratedSentence {
  origin: 'model';
  /** What the sentence says when it is encoded, [E]. */
  concept: Float32Array;
  /**
   * Cosine of what is written and what was predicted, in the concept space: the prediction it was
   * written from, and once it is ranked, the nearest of the others.
   */
  agreement: number;
  /** Cosine of what is written and the prediction that it was written from. */
  fidelity: number;
  /** Mean of − log p per byte of the entropy model, in nats; null where there is none. */
  surprisal: number | null;
  /** Probability that it is worth showing, once it is ranked; null where the model tells nothing. */
  confidence: number | null;
}

/** A sentence that the writer wrote before. */
export interface OwnCandidate {
  origin: 'own';
  text: string;
  concept: Float32Array;
  /** Cosine of it and the predicted concept that is nearest to it, in the concept space. */
  agreement: number;
  /** The writer wrote it: how sure the model is does not matter. */
  confidence: null;
}

/** A sentence that may come next. */
export type Candidate = GeneratedCandidate | OwnCandidate;

/** A sentence that is there already. */
interface TakenSentence {
  text: string;
  embedding: Float32Array;
}

/** Tells how sure a model is of a sentence that was compared with the other predictions. */
export type Judge = (candidate: GeneratedCandidate) => number | null;

/**
 * Puts candidates in order, best first: by confidence where all have one, else by the agreement of
 * what each says when it is read again with the predictions that it was not written from. What
 * several predictions mean is likelier than what one does.
 *
 * Agreement with its own prediction tells how well a sentence was decoded, not how likely it is.
 *
 * On the built-in Two-Tower's held-out places, the first sentence by confidence is well-formed in
 * 67.6 % and at cosine 0.205 to the true next one, by agreement in 64.1 % and at 0.204; it is good
 * by the measure of confidence in 35.5 % and 34.4 %. Of the five concept models, by confidence all
 * put a well-formed one first more often, and two a good one 0.2 and 1.2 points less often
 * (`npm run evaluate -- --only confidence`).
 *
 * @param predictions  the predicted concepts, [E] each
 */
export function rank(
  candidates: readonly Candidate[],
  predictions: readonly Float32Array[],
  space: ConceptSpace,
  judge: Judge = () => null,
): Candidate[] {
  const measured = candidates.map((candidate): Candidate => {
    const isOwn = candidate.origin === 'own';
    const others = isOwn ? predictions : predictions.filter((one) => one !== candidate.embedding);
    const agreement = support(candidate.concept, others, space) ?? candidate.agreement;
    if (isOwn) return { ...candidate, agreement };
    const compared = { ...candidate, agreement };
    return { ...compared, confidence: judge(compared) };
  });
  const isJudged = measured.every(({ confidence }) => confidence !== null);
  const worth = ({ confidence, agreement }: Candidate) =>
    (isJudged ? confidence : null) ?? agreement;
  return measured.toSorted((a, b) => worth(b) - worth(a));
}

/** Returns the cosine of a concept and the prediction nearest to it; null without predictions. */
export function support(
  concept: Float32Array,
  predictions: readonly Float32Array[],
  space: ConceptSpace,
): number | null {
  if (predictions.length === 0) return null;
  const placed = space(concept);
  return Math.max(...predictions.map((prediction) => cosine(placed, space(prediction))));
}

/**
 * Keeps the first of all candidates that say the same, and none that says what is there already:
 * what remains are different ideas, in the same order.
 *
 * @param taken  sentences of the text, and the one that ends texts in training
 */
export function differentIdeas(
  candidates: readonly Candidate[],
  taken: readonly TakenSentence[],
  space: ConceptSpace,
): Candidate[] {
  const said = taken.map(({ embedding }) => placed(space(embedding)));
  return candidates.filter(({ concept }) => {
    const here = placed(space(concept));
    const isSaid = said.some(({ at, length }) => {
      return dot(here.at, at) >= sameIdea * here.length * length && here.length * length > 0;
    });
    if (!isSaid) said.push(here);
    return !isSaid;
  });
}

/** With its length: it is compared with many. */
function placed(at: Float32Array): { at: Float32Array; length: number } {
  return { at, length: norm(at) };
}

/** What the decoder writes for a token it does not know. */
const unknownSurface = '⁇';

/** A letter, or a word after itself, so many times in a row is no language but a decoder in a loop. */
const loopLength = 4;

const letterLoop = new RegExp(`(\\p{L})\\1{${loopLength},}`, 'u');
const wordLoop = new RegExp(`(?:^| )(\\S+)(?: \\1){${loopLength - 1}}(?: |$)`, 'u');
/** A word after itself with nothing but a space between, but for those that may. */
const stutter = /(?<!\p{L})(?!(?:had|that|very|so|no|ha|bye) )(\p{L}+) \1(?!\p{L})/iu;

/**
 * Tells by its letters alone whether a sentence may be shown: it has words, all of them known, and
 * does not run in a loop.
 */
export function isReadable(text: string): boolean {
  const words = wording(text);
  const isLoop = letterLoop.test(text) || wordLoop.test(words) || stutter.test(text);
  return words !== '' && !text.includes(unknownSurface) && !isLoop;
}

/** Shorter sentences may stand in a text by chance, as a part of others. */
const repeatedLength = 12;

/** What a text says already, by its wording. */
export class Said {
  readonly #sentences: ReadonlySet<string>;
  readonly #text: string;

  /** @param text  the text around: a sentence that is a part of it is said as well */
  constructor(sentences: readonly string[], text: string) {
    this.#sentences = new Set(sentences.map(wording));
    this.#text = ` ${wording(text)} `;
  }

  has(sentence: string): boolean {
    const words = wording(sentence);
    const isPart = words.length >= repeatedLength && this.#text.includes(` ${words} `);
    return isPart || this.#sentences.has(words);
  }
}

/** Returns letters and digits: they alone decide whether two sentences have the same wording. */
export function wording(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
}
