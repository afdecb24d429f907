import type { ConceptSpace } from '../../server/features/conceptSpace.ts';
import { contextConcepts } from '../../server/features/contextWindow.ts';
import { followersOf } from '../../server/features/ownSentences.ts';
import { type Candidate, differentIdeas, rank, support } from '../../server/features/ranking.ts';
import { combine, cosine, norm } from '../../server/tensor/vector.ts';

/*
 * Whether a writer's own sentences help: at every place of a writer's documents, what is offered
 * with them and without is compared with what the writer wrote next. Ranked and filtered as in the
 * product, by concepts alone: nothing is said about wording.
 */

/** What a concept model predicted, and what the sentence that was written from it says, [E]. */
export interface Offer {
  predicted: Float32Array;
  /** The prediction itself where nothing is written. */
  concept: Float32Array;
}

/** Foretells what follows a context: at least as many offers as `count`. */
export type Predict = (context: readonly Float32Array[]) => Promise<readonly Offer[]>;

/** How near what is offered comes to what the writer wrote. */
export interface OfferFigures {
  /**
   * Share of the writer's other sentences that are further from the first offer than the next one
   * is, neighbours aside.
   *
   * Source: LCM team 2024 (arXiv:2412.08821), section 2.4.1.
   */
  contrastiveAccuracy: number;
  /** Share of places where no other sentence is nearer to any offer than the next one. */
  hitRate: number;
  /** Cosine of the next sentence and the nearest offer. */
  nearest: number;
}

export interface OwnSentenceFigures {
  /** How many places were looked at. */
  places: number;
  /** Share of places where an own sentence is among the offers. */
  offered: number;
  without: OfferFigures;
  with: OfferFigures;
}

export interface OwnSentenceOptions {
  space: ConceptSpace;
  /** Sentences that are offered. */
  count: number;
  /** Sentences that stand before a place at least. */
  minContext: number;
}

/** A place, and what may be offered there. */
interface Place {
  document: number;
  index: number;
  truth: Float32Array;
  without: readonly Candidate[];
  with: readonly Candidate[];
}

/**
 * Measures at every place of the documents. The ground of a place is all other documents, and its
 * own as far as it is not near.
 *
 * @param documents  the concepts of one writer's documents, in order, [E] each
 */
export async function ownSentenceFigures(
  documents: readonly (readonly Float32Array[])[],
  predict: Predict,
  options: OwnSentenceOptions,
): Promise<OwnSentenceFigures> {
  const places: Place[] = [];
  for (const [document, concepts] of documents.entries()) {
    for (let index = options.minContext; index < concepts.length; index++) {
      const context = concepts.slice(0, index).slice(-contextConcepts);
      const generated = (await predict(context)).map((offer) => asCandidate(offer, options.space));
      const own = ownCandidates(documents, { document, index }, context, generated, options);
      const offers = [generated, [...generated, ...own]].map((candidates) =>
        offersOf(candidates, context, options),
      );
      const [without = [], together = []] = offers;
      const truth = concepts[index] ?? new Float32Array(0);
      places.push({ document, index, truth, without, with: together });
    }
  }
  return {
    places: places.length,
    offered: mean(places.map((place) => Number(place.with.some(({ origin }) => origin === 'own')))),
    without: measure(places, (place) => place.without, options.space),
    with: measure(places, (place) => place.with, options.space),
  };
}

function asCandidate({ predicted, concept }: Offer, space: ConceptSpace): Candidate {
  const agreement = cosine(space(predicted), space(concept));
  const unknown = { surprisal: null, confidence: null };
  const compared = { embedding: predicted, concept, agreement, fidelity: agreement };
  return { origin: 'model', text: '', score: 0, ...compared, ...unknown };
}

function ownCandidates(
  documents: readonly (readonly Float32Array[])[],
  place: { document: number; index: number },
  context: readonly Float32Array[],
  generated: readonly Candidate[],
  { space, count }: OwnSentenceOptions,
): Candidate[] {
  const predictions = predictionsOf(generated);
  return documents
    .flatMap((concepts, document) => {
      // Every sentence has a wording of its own, so that none counts as a repetition.
      const sequence = concepts.map((embedding, i) => ({ text: `${document} ${i}`, embedding }));
      if (document !== place.document) return followersOf(context, { concepts: sequence }, space);
      const near = [place.index - contextConcepts, concepts.length] as const; // what comes is unknown
      return followersOf(context, { concepts: sequence, near }, space);
    })
    .toSorted((a, b) => b.likeness - a.likeness)
    .slice(0, count)
    .map(({ concept: { text, embedding: concept } }) => {
      const agreement = support(concept, predictions, space) ?? 0;
      return { origin: 'own', text, concept, agreement, confidence: null };
    });
}

function offersOf(
  candidates: readonly Candidate[],
  context: readonly Float32Array[],
  { space, count }: OwnSentenceOptions,
): Candidate[] {
  const taken = context.map((embedding) => ({ text: '', embedding }));
  const ranked = rank(candidates, predictionsOf(candidates), space);
  return differentIdeas(ranked, taken, space).slice(0, count);
}

function predictionsOf(candidates: readonly Candidate[]): Float32Array[] {
  return candidates.flatMap((one) => (one.origin === 'model' ? [one.embedding] : []));
}

function measure(
  places: readonly Place[],
  candidatesAt: (place: Place) => readonly Candidate[],
  space: ConceptSpace,
): OfferFigures {
  const truths = new Map(places.map(({ truth }) => [truth, space(truth)]));
  const accuracies: number[] = [];
  const hits: number[] = [];
  const cosines: number[] = [];
  for (const place of places) {
    const candidates = candidatesAt(place).map(({ concept }) => concept);
    const offers = candidates.map(space);
    const distances = (truth: Float32Array) =>
      offers.map((offer) => norm(combine(1, truths.get(truth) ?? offer, -1, offer)));
    const own = distances(place.truth);
    // An own sentence that is offered is nearest to itself.
    const others = places
      .filter((other) => !areNeighbours(place, other) && !candidates.includes(other.truth))
      .map(({ truth }) => distances(truth));
    if (others.length === 0) continue;
    // Where nothing is offered, nothing is foretold: chance.
    const isFurther = ([first = 0]: readonly number[]) => Number(first > (own[0] ?? 0));
    accuracies.push(offers.length === 0 ? 0.5 : mean(others.map(isFurther)));
    const nearest = Math.min(...own);
    hits.push(Number(others.every((other) => Math.min(...other) > nearest)));
    cosines.push(Math.max(0, ...offers.map((offer) => cosine(space(place.truth), offer))));
  }
  return {
    contrastiveAccuracy: mean(accuracies),
    hitRate: mean(hits),
    nearest: mean(cosines),
  };
}

/** The place itself, and the sentences beside it. */
function areNeighbours(a: Place, b: Place): boolean {
  return a.document === b.document && Math.abs(a.index - b.index) <= 1;
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, x) => sum + x, 0) / Math.max(1, numbers.length);
}
