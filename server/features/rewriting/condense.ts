import { cosine } from '../../tensor/vector.ts';
import type { WritingOptions } from '../nextSentences.ts';
import { between, centreOf, typicalNorm } from './blends.ts';
import {
  type Alternative,
  differentMeanings,
  type PlacedSentence,
  type RewritingParts,
  soundWordings,
  writeWordings,
} from './wordings.ts';

/*
 * A paragraph → one sentence: the centre of its concepts, written. Beside the plain centre there are
 * weighted ones, that lean toward the sentences that say most of the others, and the most central
 * sentence of the writer's own, which no centre can be sounder than.
 */

/** Exponents of the weights: 0 weighs all alike, more leans to what is central. */
const centralities = [0, 1, 3];

/** How far the centre is drawn to each sentence. */
const leaning = 0.4;

const numHypotheses = 3;

/** The most that are offered. */
const maxAlternatives = 3;

/**
 * Returns single sentences for a paragraph, those first that agree most with all its sentences;
 * none for a paragraph of one sentence.
 */
export async function condenseParagraph(
  parts: RewritingParts,
  sentences: readonly PlacedSentence[],
  options: WritingOptions,
  signal?: AbortSignal,
): Promise<Alternative[]> {
  if (sentences.length < 2) return [];
  const { lang } = options;
  const concepts = sentences.map(({ concept }) => concept);
  const agreementOf = (concept: Float32Array) =>
    concepts.reduce((sum, other) => sum + cosine(concept, other), 0) / concepts.length;
  const several = { ...options, hypotheses: numHypotheses };
  const written = await writeWordings(parts, centresOf(concepts, agreementOf), several, signal);

  const own = sentences.map(({ text }) => text);
  const whole = own.join(' ');
  const shorter = written.filter(({ text }) => text.length < whole.length);
  const sound = await soundWordings(parts, shorter, { text: whole, own, lang }, signal);
  const ranked = [...sound, ...mostCentral(sentences, agreementOf)]
    .map(({ text, concept }) => ({ text, concept, agreement: agreementOf(concept) }))
    .toSorted((a, b) => b.agreement - a.agreement);
  return differentMeanings(ranked)
    .slice(0, maxAlternatives)
    .map(({ text, agreement }) => ({ text, agreement }));
}

function centresOf(
  concepts: readonly Float32Array[],
  agreementOf: (concept: Float32Array) => number,
): Float32Array[] {
  const r = typicalNorm(concepts);
  const centrality = concepts.map((concept) => Math.max(0, agreementOf(concept)));
  const centres = centralities.map((power) =>
    centreOf(
      concepts,
      centrality.map((value) => value ** power),
      r,
    ),
  );
  const [plain] = centres;
  if (plain === undefined) return centres;
  return [...centres, ...concepts.map((concept) => between(plain, concept, leaning, r))];
}

function mostCentral(
  sentences: readonly PlacedSentence[],
  agreementOf: (concept: Float32Array) => number,
): PlacedSentence[] {
  return sentences.toSorted((a, b) => agreementOf(b.concept) - agreementOf(a.concept)).slice(0, 1);
}
