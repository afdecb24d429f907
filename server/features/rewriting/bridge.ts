import type { SamplingOptions } from '../../inference/inference.ts';
import { cosine } from '../../tensor/vector.ts';
import { predictConcepts, type WritingOptions } from '../nextSentences.ts';
import { sameIdea, wording } from '../ranking.ts';
import type { Concept } from '../sentenceConcepts.ts';
import { between, typicalNorm } from './blends.ts';
import {
  type Alternative,
  differentMeanings,
  type PlacedSentence,
  type RewritingParts,
  soundWordings,
  writeWordings,
} from './wordings.ts';

/*
 * The sentence between two sentences: what may follow the first one, drawn toward the second; and
 * what lies between the two.
 */

/** Predictions that are sampled, and how far each is drawn toward the sentence after. */
const numPredictions = 6;
const pulls = [0.2, 0.4];

/** Places between the two sentences. */
const midpoints = [0.35, 0.5, 0.65];

/** The share of what the model predicts in the ranking; the rest is nearness to both sentences. */
const supportShare = 0.3;

/** The most that are offered. */
const maxAlternatives = 5;

export interface BridgeOptions extends WritingOptions {
  sampling: SamplingOptions;
  /** The text around the place: what may be said again. */
  surroundings: string;
}

/** Where a bridge goes. */
export interface Gap {
  before: PlacedSentence;
  after: PlacedSentence;
  /** The concepts of the text up to and with `before`. */
  context: readonly Concept[];
}

/**
 * Returns sentences that may stand between two, best first: near to both and to what the concept
 * model expects, and neither of them again.
 */
export async function bridgeGap(
  parts: RewritingParts,
  { before, after, context }: Gap,
  { sampling, surroundings, ...options }: BridgeOptions,
  signal?: AbortSignal,
): Promise<Alternative[]> {
  const wanted = { ...sampling, count: numPredictions };
  const raw = await predictConcepts(parts.inference, context, wanted, signal);
  const predictions = raw.map(parts.space);
  const [from, to] = [before.concept, after.concept];
  const r = typicalNorm([from, to]);
  const drawn = predictions.flatMap((prediction) =>
    pulls.map((pull) => between(prediction, to, pull, r)),
  );
  const middle = midpoints.map((t) => between(from, to, t, r));
  const written = await writeWordings(parts, [...drawn, ...middle], options, signal);

  const said = new Set([before, after].map(({ text }) => wording(text)));
  const fresh = written.filter(
    ({ text, concept }) =>
      !said.has(wording(text)) &&
      [from, to].every((neighbour) => cosine(concept, neighbour) < sameIdea),
  );
  const around = { text: surroundings, own: [before.text, after.text], lang: options.lang };
  const sound = await soundWordings(parts, fresh, around, signal);
  const agreementOf = (concept: Float32Array) => {
    const nearness = Math.min(cosine(concept, from), cosine(concept, to));
    const support = supportOf(concept, predictions) ?? nearness;
    return (1 - supportShare) * nearness + supportShare * support;
  };
  const ranked = sound
    .map((one) => ({ ...one, agreement: agreementOf(one.concept) }))
    .toSorted((a, b) => b.agreement - a.agreement);
  return differentMeanings(ranked)
    .slice(0, maxAlternatives)
    .map(({ text, agreement }) => ({ text, agreement }));
}

/** Returns the cosine to the nearest prediction; null where the model has none. */
function supportOf(concept: Float32Array, predictions: readonly Float32Array[]): number | null {
  if (predictions.length === 0) return null;
  return Math.max(...predictions.map((prediction) => cosine(concept, prediction)));
}
