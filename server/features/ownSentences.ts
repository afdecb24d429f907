import { cosine } from '../tensor/vector.ts';
import type { ConceptSpace } from './conceptSpace.ts';
import { contextConcepts } from './contextWindow.ts';
import type { DocumentConcepts, EncodedDocument } from './documentConcepts.ts';
import { wording } from './ranking.ts';
import type { Concept } from './sentenceConcepts.ts';

/*
 * The writer's own sentences as candidates: where the writer stood at a place like this before,
 * what came next may come next again. They are found by meaning alone; the concept model has the
 * last word about them (`rank`).
 *
 * Source: the idea is that of nearest-neighbour language models, with sentences for tokens;
 * Khandelwal et al. 2020 (arXiv:1911.00172), section 2.
 */

/** What is looked for: sentences that followed a context like the one at a place. */
export interface OwnQuery {
  uri: string;
  /** The caret, in UTF-16 units. */
  offset: number;
  /** The concepts of the document before it. */
  context: readonly Concept[];
  space: ConceptSpace;
  count: number;
}

/** Where they are looked for: the open documents, or whatever else remembers what was written. */
export interface OwnGround {
  /** Returns at most `count` sentences, those first that followed the most similar contexts. */
  followers(query: OwnQuery, signal?: AbortSignal): Promise<Concept[]>;
}

/** Weights of the sentences of a context, the last one first: the nearer, the more it counts. */
const contextWeights = [4, 2, 1];

/**
 * Likeness from which on contexts are similar. On texts of tinystories, kubernetes and
 * standard-ebooks, what followed contexts of 0.2 and 0.3 changed the contrastive accuracy of the
 * first offer by −0.018 to +0.003 (test/evaluate/ownSentences.ts, the first built-in model).
 */
const similarContext = 0.4;

/** A document, in order; null where a sentence is not encoded. */
export interface ConceptSequence {
  concepts: readonly (Concept | null)[];
  /** Places that are too near to the caret: from the first up to the second. */
  near?: readonly [from: number, to: number];
}

export interface Follower {
  concept: Concept;
  /** Of the contexts, −1 to 1. */
  likeness: number;
}

/**
 * Finds what followed the most similar contexts of a document, most similar first. Each wording
 * comes once.
 *
 * The likeness of two contexts is the mean cosine of their last sentences, pairwise from the end,
 * weighted by `contextWeights`; a sentence that one of them lacks is like none.
 *
 * @param context  embeddings of the sentences before the caret, in order, [E] each
 */
export function followersOf(
  context: readonly Float32Array[],
  { concepts, near = [0, 0] }: ConceptSequence,
  space: ConceptSpace,
): Follower[] {
  const query = context.slice(-contextWeights.length).reverse().map(space);
  const weights = contextWeights.slice(0, query.length);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (total === 0) return [];
  const placed = concepts.map((concept) => concept && space(concept.embedding));
  const likenesses = placed.map((_, last) =>
    query.reduce((sum, sentence, distance) => {
      const other = placed[last - distance] ?? null;
      if (other === null) return sum;
      return sum + ((weights[distance] ?? 0) / total) * cosine(sentence, other);
    }, 0),
  );
  const [from, to] = near;
  const said = new Set(
    concepts.slice(Math.max(0, from), to).map((one) => wording(one?.text ?? '')),
  );
  return concepts
    .flatMap((concept, place): Follower[] => {
      const likeness = likenesses[place - 1] ?? 0;
      const isNear = from <= place && place < to;
      return concept === null || isNear || likeness < similarContext ? [] : [{ concept, likeness }];
    })
    .toSorted((a, b) => b.likeness - a.likeness)
    .filter(({ concept }) => {
      const words = wording(concept.text);
      if (said.has(words)) return false;
      said.add(words);
      return true;
    });
}

/** The open documents, as far as they are encoded. */
export class OpenDocumentsGround implements OwnGround {
  readonly #documents: DocumentConcepts;

  constructor(documents: DocumentConcepts) {
    this.#documents = documents;
  }

  async followers(
    { uri, offset, context, space, count }: OwnQuery,
    signal?: AbortSignal,
  ): Promise<Concept[]> {
    const embeddings = context.map(({ embedding }) => embedding);
    const found: Follower[] = [];
    for await (const document of this.#documents.encoded(uri, signal)) {
      const sequence = sequenceOf(document, document.uri === uri ? offset : null);
      found.push(...followersOf(embeddings, sequence, space));
    }
    return found
      .toSorted((a, b) => b.likeness - a.likeness)
      .slice(0, count)
      .map(({ concept }) => concept);
  }
}

/** @param caret  its offset, when it is in the document */
function sequenceOf(
  { sentences, concepts }: EncodedDocument,
  caret: number | null,
): ConceptSequence {
  if (caret === null) return { concepts };
  const before = sentences.filter(({ end }) => end <= caret).length;
  return { concepts, near: [before - contextConcepts, before + contextConcepts] };
}
