import type { Inference, SamplingOptions } from '../inference/inference.ts';
import { contextWindow } from './contextWindow.ts';
import type { Concept } from './sentenceConcepts.ts';

/*
 * concepts so far → next concepts → sentences. What the models say is kept apart from what is
 * worth showing to a writer (`suggestions.ts`): scripts want the first and ghost text the second.
 */

/** A sentence that the models wrote. */
export interface GeneratedSentence {
  text: string;
  /** Log-probability per token of the decoder. */
  score: number;
  /** The predicted concept, [E]. */
  embedding: Float32Array;
}

/** How concepts are written. */
export interface WritingOptions {
  lang: string;
  beamSize: number;
  /** Longest sentence in tokens. */
  maxSeqLen: number;
}

export interface NextSentencesOptions extends WritingOptions {
  sampling: SamplingOptions;
}

/**
 * Predicts and writes candidates for the next sentence, in the order in which they were sampled.
 *
 * @param context  the concepts of the document so far; none gives no candidates
 */
export async function nextSentences(
  inference: Inference,
  context: readonly Concept[],
  options: NextSentencesOptions,
  signal?: AbortSignal,
): Promise<GeneratedSentence[]> {
  const embeddings = await predictConcepts(inference, context, options.sampling, signal);
  return writeConcepts(inference, embeddings, options, signal);
}

/** Predicts candidates for the next concept, [E] each; none without a context. */
export async function predictConcepts(
  inference: Inference,
  context: readonly Concept[],
  sampling: SamplingOptions,
  signal?: AbortSignal,
): Promise<Float32Array[]> {
  if (context.length === 0 || sampling.count === 0) return [];
  const read = contextWindow(context).map((concept) => concept.embedding);
  return inference.predict({ context: read, options: sampling }, signal);
}

/** Writes each concept, [E], as a sentence. */
export async function writeConcepts(
  inference: Inference,
  embeddings: readonly Float32Array[],
  { lang, beamSize, maxSeqLen }: WritingOptions,
  signal?: AbortSignal,
): Promise<GeneratedSentence[]> {
  if (embeddings.length === 0) return [];
  const request = { embeddings, lang, beamSize, maxSeqLen };
  const sentences = await inference.decode(request, signal);
  return sentences.flatMap(({ text, score }, i) => {
    const embedding = embeddings[i];
    return embedding === undefined ? [] : [{ text, score, embedding }];
  });
}
