import { type ConceptSpace, conceptSpace } from '../../server/features/conceptSpace.ts';
import { coefficientNames, confidenceOf, valuesOf } from '../../server/features/confidence.ts';
import type { GeneratedCandidate } from '../../server/features/ranking.ts';
import { samplingOptions } from '../../server/features/sampling.ts';
import type { Concept } from '../../server/features/sentenceConcepts.ts';
import { predictSuggestions, writeSuggestions } from '../../server/features/suggestions.ts';
import type { ConfidenceEntry } from '../../server/model/manifest.ts';
import { cosine, quantile } from '../../server/tensor/vector.ts';
import type { EvaluationSet, Window } from './evaluationSet.ts';
import { mean, separation } from './geometry.ts';
import { calibrationError, fitLogistic } from './logistic.ts';
import type { Product } from './product.ts';
import { isWellFormed } from './words.ts';

/*
 * How sure a suggestion is. At places of held-out text the product writes suggestions as it does for
 * a writer. One is *good* when it is well-formed (`words.ts`) and at least as near to the sentence
 * that the author wrote there as half of all neighbouring sentences are to each other. Confidence is
 * the probability of that, by what is known of a suggestion when it is made: fitted on some documents
 * (`calibration`), judged on others (`windows`).
 */

/** Sentences of a window that stand before a place at least. */
const minContext = 4;

/** As the product asks for them when the writer has set nothing. */
const writing = { count: 3, lang: 'eng_Latn', beamSize: 3, maxSeqLen: 64 } as const;

/** More are kept for the measurement than are shown. */
const numKept = 6;

const thresholds = [0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5];

/** A suggestion, and what became of it. */
interface Judged {
  candidate: GeneratedCandidate;
  /** Cosine of it and the true next sentence in the concept space. */
  nearness: number;
  isWellFormed: boolean;
  isGood: boolean;
}

/** The suggestions at one place, in the order of agreement. */
type Place = readonly Judged[];

export async function evaluateConfidence(product: Product, set: EvaluationSet) {
  const known = new Set(set.words);
  const figures: Record<string, unknown> = {};
  for (const lcm of product.model.conceptModels) {
    const space = conceptSpace(product.model, lcm);
    const bar = await neighbourNearness(product, set, space);
    const judge = { space, bar, known };
    const fitted = await placesOf(product, lcm, set.calibration, judge);
    const judged = await placesOf(product, lcm, set.windows, judge);
    figures[lcm] = { bar, ...measure(fitted, judged) };
  }
  return figures;
}

/** Half of all neighbouring sentences are nearer. */
async function neighbourNearness(product: Product, set: EvaluationSet, space: ConceptSpace) {
  const left = await product.encode(set.neighbours.map(([text]) => text));
  const right = await product.encode(set.neighbours.map(([, text]) => text));
  const cosines = left.map((x, i) => cosine(space(x), space(right[i] ?? x)));
  return quantile(Float32Array.from(cosines), 0.5);
}

interface Judge {
  space: ConceptSpace;
  bar: number;
  known: ReadonlySet<string>;
}

async function placesOf(
  product: Product,
  lcm: string,
  windows: readonly Window[],
  judge: Judge,
): Promise<Place[]> {
  const places: Place[] = [];
  for (const { sentences, is_target } of windows) {
    const embeddings = await product.encode(sentences);
    const concepts = sentences.map((text, i): Concept => {
      return { text, embedding: embeddings[i] ?? new Float32Array(0) };
    });
    for (let i = minContext; i < concepts.length; i++) {
      const truth = concepts[i];
      if (!is_target[i] || truth === undefined) continue;
      const candidates = await suggestionsAt(product, lcm, concepts.slice(0, i));
      places.push(candidates.map((candidate) => judged(candidate, truth.embedding, judge)));
    }
  }
  return places;
}

function judged(
  candidate: GeneratedCandidate,
  truth: Float32Array,
  { space, bar, known }: Judge,
): Judged {
  const nearness = cosine(space(candidate.concept), space(truth));
  const isFormed = isWellFormed(candidate.text, known);
  return { candidate, nearness, isWellFormed: isFormed, isGood: isFormed && nearness >= bar };
}

/** Predicts, writes, ranks and filters as the product does, but without confidence. */
async function suggestionsAt(
  product: Product,
  lcm: string,
  context: readonly Concept[],
): Promise<GeneratedCandidate[]> {
  const { inference, model } = product;
  const parts = {
    inference,
    encode: async (sentences: readonly { text: string }[]) => {
      const texts = sentences.map(({ text }) => text);
      const embeddings = await product.encode(texts);
      return embeddings.map((embedding, i) => ({ text: texts[i] ?? '', embedding }));
    },
    space: conceptSpace(model, lcm),
    hasEntropies: model.hasEntropies,
  };
  const sampling = samplingOptions(model, lcm, { count: writing.count });
  const predictions = await predictSuggestions(parts, context, { sampling, steering: null });
  const eosText = model.generations[lcm]?.eosText;
  const options = {
    ...writing,
    count: numKept,
    eos: eosText === undefined ? null : { text: eosText, lang: writing.lang },
    surroundings: context.map(({ text }) => text).join(' '),
  };
  const suggestions = await writeSuggestions(parts, { context, predictions }, options);
  return suggestions.filter((one) => one.origin === 'model');
}

function measure(fitted: readonly Place[], places: readonly Place[]) {
  const entry = entryOf(fitted.flat());
  const sureness = ({ candidate }: Judged) => confidenceOf(candidate, entry, writing.lang) ?? 0;
  const all = places.flat().map((one) => ({ p: sureness(one), isSo: one.isGood }));
  const of = (isSo: boolean) => all.filter((one) => one.isSo === isSo).map(({ p }) => p);
  const firstBy = (worth: (one: Judged) => number) =>
    places.flatMap((place) => place.toSorted((a, b) => worth(b) - worth(a)).slice(0, 1));
  const surest = firstBy(sureness);
  return {
    coefficients: entry,
    places: { fitted: fitted.length, judged: places.length },
    suggestions: { fitted: fitted.flat().length, judged: all.length },
    good: { fitted: share(fitted.flat()), judged: share(places.flat()) },
    auc: separation(of(true), of(false)),
    calibration_error: calibrationError(all),
    calibration_error_of_first: calibrationError(
      surest.map((one) => ({ p: sureness(one), isSo: one.isGood })),
    ),
    first: {
      agreement: firstFigures(firstBy(({ candidate }) => candidate.agreement)),
      confidence: firstFigures(surest),
    },
    thresholds: Object.fromEntries(
      thresholds.map((threshold) => {
        const shown = surest.filter((one) => sureness(one) >= threshold);
        const figures = { offered: shown.length / places.length, ...firstFigures(shown) };
        return [threshold.toFixed(2), figures];
      }),
    ),
  };
}

function entryOf(judged: readonly Judged[]): ConfidenceEntry {
  const { bias, weights } = fitLogistic(
    judged.flatMap(({ candidate, isGood }) => {
      const values = valuesOf(candidate);
      return values === null ? [] : [{ values, isSo: isGood }];
    }),
  );
  const rounded = (x: number) => Number(x.toFixed(4));
  const coefficients = coefficientNames.map((name, i) => [name, rounded(weights[i] ?? 0)]);
  // One for each name.
  const named = Object.fromEntries(coefficients) as Omit<ConfidenceEntry, 'langs' | 'bias'>;
  return { langs: [writing.lang], bias: rounded(bias), ...named };
}

function share(judged: readonly Judged[]): number {
  return mean(judged.map(({ isGood }) => Number(isGood)));
}

/** What the suggestions that come first are like. */
function firstFigures(first: readonly Judged[]) {
  return {
    nearness: mean(first.map(({ nearness }) => nearness)),
    well_formed: mean(first.map((one) => Number(one.isWellFormed))),
    good: share(first),
  };
}
