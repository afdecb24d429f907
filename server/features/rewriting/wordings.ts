import type { Inference } from '../../inference/inference.ts';
import { cosine } from '../../tensor/vector.ts';
import type { ConceptSpace } from '../conceptSpace.ts';
import { KnownSpans } from '../fragileGuard.ts';
import type { WritingOptions } from '../nextSentences.ts';
import { isReadable, sameIdea, wording } from '../ranking.ts';
import type { EncodeSentences } from '../sentenceConcepts.ts';

/*
 * Concepts → wordings, read again: what every kind of rewriting does.
 */

/** What rewriting is made with. */
export interface RewritingParts {
  inference: Inference;
  encode: EncodeSentences;
  /** Where concepts are compared and blended. */
  space: ConceptSpace;
  /** The way back from there to raw embeddings. */
  toEmbedding: (concept: Float32Array) => Float32Array;
  /** Whether the model knows how surprising bytes are. */
  hasEntropies: boolean;
}

/** What may stand in place of sentences, or between them. */
export interface Alternative {
  text: string;
  /** How well it says what it should, a cosine in the concept space. */
  agreement: number;
}

/** A sentence of the text, placed in the concept space. */
export interface PlacedSentence {
  text: string;
  /** Raw, [E]. */
  embedding: Float32Array;
  /** The same in the concept space, [E]. */
  concept: Float32Array;
}

/** A sentence that was written and read again. */
export interface Wording {
  text: string;
  /** What it says, in the concept space, [E]. */
  concept: Float32Array;
}

/** How many wordings of each concept are looked at: what one beam finishes beside its best. */
export interface WordingOptions extends WritingOptions {
  hypotheses?: number;
}

/** Concepts that are written at once; between two such groups others have their turn. */
const groupSize = 8;

/**
 * Writes concepts, several wordings of each if that is wanted, and reads them again.
 *
 * @param concepts  in the concept space, [E] each
 * @returns those that can be read, each wording once
 */
export async function writeWordings(
  parts: RewritingParts,
  concepts: readonly Float32Array[],
  { lang, beamSize, maxSeqLen, hypotheses = 1 }: WordingOptions,
  signal?: AbortSignal,
): Promise<Wording[]> {
  const embeddings = concepts.map(parts.toEmbedding);
  const size = Math.max(beamSize, hypotheses);
  const found = new Map<string, string>();
  for (let start = 0; start < embeddings.length; start += groupSize) {
    const group = embeddings.slice(start, start + groupSize);
    const request = { embeddings: group, lang, beamSize: size, maxSeqLen, hypotheses };
    const written = await parts.inference.decode(request, signal);
    for (const { text } of written.flatMap((best) => [best, ...(best.others ?? [])])) {
      const words = wording(text);
      if (isReadable(text) && !found.has(words)) found.set(words, text);
    }
  }
  return readAgain(parts, [...found.values()], lang, signal);
}

/** Encodes sentences and places them in the concept space. */
export async function readAgain(
  { encode, space }: Pick<RewritingParts, 'encode' | 'space'>,
  texts: readonly string[],
  lang: string,
  signal?: AbortSignal,
): Promise<Wording[]> {
  const sentences = texts.map((text) => ({ text, lang }));
  const concepts = await encode(sentences, signal);
  return concepts.map(({ text, embedding }) => ({ text, concept: space(embedding) }));
}

/** How much stranger than the writer's own a sentence may read, in nats per byte. */
const strangeness = 0.1;

/**
 * Keeps the wordings that may be shown beside the writer's: those that say no number, name,
 * identifier or link that the text lacks, and whose bytes are not more surprising than those of its
 * strangest sentence. A decoder can keep to a concept and lose the grammar.
 *
 * @param text  what may be said again
 * @param own   the writer's sentences that a wording stands for or beside, at least one
 */
export async function soundWordings<T extends { text: string }>(
  { inference, hasEntropies }: Pick<RewritingParts, 'inference' | 'hasEntropies'>,
  wordings: readonly T[],
  { text, own, lang }: { text: string; own: readonly string[]; lang: string },
  signal?: AbortSignal,
): Promise<T[]> {
  const known = new KnownSpans(text, lang);
  if (!hasEntropies || wordings.length === 0) {
    return wordings.filter((one) => known.invented(one.text, { lang }).length === 0);
  }
  const texts = [...own, ...wordings.map((one) => one.text)];
  const surprisals = await inference.surprisals(texts, signal);
  const limit = Math.max(...surprisals.slice(0, own.length).map(mean)) + strangeness;
  return wordings.filter((one, i) => {
    const bytes = surprisals[own.length + i] ?? new Float32Array(0);
    return (
      mean(bytes) <= limit && known.invented(one.text, { lang, surprisals: bytes }).length === 0
    );
  });
}

function mean(values: Float32Array): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Keeps the first of all that say the same, in order. */
export function differentMeanings<T extends { concept: Float32Array }>(
  wordings: readonly T[],
): T[] {
  const kept: T[] = [];
  for (const one of wordings) {
    if (kept.every(({ concept }) => cosine(concept, one.concept) < sameIdea)) kept.push(one);
  }
  return kept;
}
