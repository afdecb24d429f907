import type { SamplingOptions } from '../../inference/inference.ts';
import { cosine } from '../../tensor/vector.ts';
import { predictConcepts, type WritingOptions } from '../nextSentences.ts';
import { sameIdea } from '../ranking.ts';
import type { Concept } from '../sentenceConcepts.ts';
import { joinSentences } from '../translation.ts';
import { between, typicalNorm } from './blends.ts';
import {
  type Alternative,
  type PlacedSentence,
  type RewritingParts,
  soundWordings,
  type Wording,
  writeWordings,
} from './wordings.ts';

/*
 * A heading or outline item → sentences: what the concept model lets follow it, one after the other,
 * each drawn toward what the heading says.
 */

/** Sentences of one alternative. */
const maxSentences = 3;

/** Predictions of one sentence, of which the best is kept. */
const numPredictions = 4;

/** How far predictions are drawn toward the heading: an alternative for each. */
const pulls = [0.35, 0.5, 0.2];

export interface ExpandOptions extends WritingOptions {
  sampling: SamplingOptions;
  /** The text around the heading: what may be said again. */
  surroundings: string;
}

/**
 * Returns passages that carry out a heading, best first.
 *
 * @param context  the concepts of the text before it
 */
export async function expandHeading(
  parts: RewritingParts,
  heading: PlacedSentence,
  context: readonly Concept[],
  options: ExpandOptions,
  signal?: AbortSignal,
): Promise<Alternative[]> {
  const passages = new Map<string, Alternative>();
  for (const [i, pull] of pulls.entries()) {
    const seed = (options.sampling.seed + i) % 2 ** 32;
    const drawn = { ...options, pull, sampling: { ...options.sampling, seed } };
    const sentences = await writePassage(parts, heading, context, drawn, signal);
    if (sentences.length === 0) continue;
    const texts = sentences.map(({ text }) => text);
    const text = joinSentences(texts, new Array<number>(texts.length).fill(0), options.lang);
    const sum = sentences.reduce((total, one) => total + cosine(one.concept, heading.concept), 0);
    passages.set(text, { text, agreement: sum / sentences.length });
  }
  return [...passages.values()].toSorted((a, b) => b.agreement - a.agreement);
}

/** Writes sentence after sentence, until there are enough or nothing new is said. */
async function writePassage(
  parts: RewritingParts,
  heading: PlacedSentence,
  context: readonly Concept[],
  { sampling, surroundings, pull, ...options }: ExpandOptions & { pull: number },
  signal: AbortSignal | undefined,
): Promise<Wording[]> {
  const read = [...context, heading];
  const passage: Wording[] = [];
  const said = [heading.concept, ...context.map(({ embedding }) => parts.space(embedding))];
  const isNew = ({ concept }: Wording) => said.every((other) => cosine(concept, other) < sameIdea);
  while (passage.length < maxSentences) {
    signal?.throwIfAborted();
    const step = { ...sampling, count: numPredictions, seed: sampling.seed + passage.length };
    const raw = await predictConcepts(parts.inference, read, step, signal);
    const r = typicalNorm([heading.concept]);
    const drawn = raw.map((one) => between(parts.space(one), heading.concept, pull, r));
    const written = await writeWordings(parts, drawn, options, signal);
    const around = {
      text: `${surroundings}\n${passage.map(({ text }) => text).join('\n')}`,
      own: [heading.text, ...context.slice(-maxSentences).map(({ text }) => text)],
      lang: options.lang,
    };
    const sound = await soundWordings(parts, written.filter(isNew), around, signal);
    const [best] = sound.toSorted(
      (a, b) => cosine(b.concept, heading.concept) - cosine(a.concept, heading.concept),
    );
    if (best === undefined) break;
    passage.push(best);
    said.push(best.concept);
    read.push({ text: best.text, embedding: parts.toEmbedding(best.concept) });
  }
  return passage;
}
