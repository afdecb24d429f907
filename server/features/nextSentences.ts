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

export interface NextSentencesOptions {
  sampling: SamplingOptions;
  lang: string;
  beamSize: number;
  /** Longest sentence in tokens. */
  maxSeqLen: number;
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
  if (context.length === 0 || options.sampling.count === 0) return [];
  const embeddings = await inference.predict(
    {
      context: contextWindow(context).map((concept) => concept.embedding),
      options: options.sampling,
    },
    signal,
  );
  const sentences = await inference.decode(
    { embeddings, lang: options.lang, beamSize: options.beamSize, maxSeqLen: options.maxSeqLen },
    signal,
  );
  return sentences.flatMap(({ text, score }, i) => {
    const embedding = embeddings[i];
    return embedding === undefined ? [] : [{ text, score, embedding }];
  });
}

/**
 * Fits a sentence to the place where it is inserted: a space after a sentence on the same line,
 * none at the start of a line, after a space, or after a full-width full stop.
 *
 * @param before  the text of the line before the caret
 */
export function fitToCaret(before: string, sentence: string): string {
  const needsSpace = before !== '' && !/[\s。！？」』）]$/u.test(before);
  return needsSpace ? ` ${sentence}` : sentence;
}
