import type { Generation, Inference, SamplingOptions } from '../inference/inference.ts';
import { cosine } from '../tensor/vector.ts';
import type { GeneratedSentence, NextSentencesOptions } from './nextSentences.ts';
import type { Concept, EncodeSentences } from './sentenceConcepts.ts';

/*
 * A text written on, sentence after sentence. A large concept model reads the concepts that it
 * predicted, as they are; a SONAR-LLM reads those of the sentences that were written from them.
 */

export interface ContinueTextOptions extends NextSentencesOptions {
  generation: Generation;
  /** The text ends here at the latest; reference: max_seq_len, max_sentences. */
  maxGenLen: number;
}

/**
 * Writes what follows, one sentence at a time, until the model ends the text. The sentence that
 * ends it is not written: it says that the text ends, or says again what was said.
 *
 * reference: LCMGenerator with trim_hypotheses; generate.py of FusionBrainLab/SONAR-LLM.
 *
 * @param context  the concepts of the text so far; none gives no sentence
 * @param encode   encodes the sentences that begin and end a text, and those that are read back
 */
export async function* continueText(
  inference: Inference,
  context: readonly Concept[],
  encode: EncodeSentences,
  options: ContinueTextOptions,
  signal?: AbortSignal,
): AsyncGenerator<GeneratedSentence> {
  const { generation, maxGenLen, sampling, lang, beamSize, maxSeqLen } = options;
  if (context.length === 0) return;
  const embeddingOf = async (text: string) =>
    (await encode([{ text, lang }], signal))[0]?.embedding ?? new Float32Array(0);
  const eos = await embeddingOf(generation.eosText);
  const read = await withBegin(context, generation, embeddingOf);

  for (let generated = 0; generated < maxGenLen; generated++) {
    signal?.throwIfAborted();
    const stepSampling = samplingOfStep(sampling, generated);
    const request = { context: [...read], options: stepSampling };
    const [predicted = eos] = await inference.predict(request, signal);
    const isEnd = (vector: Float32Array) =>
      endsText({ vector, previous: read.at(-1) ?? eos, eos, generated }, generation);
    if (generation.feedback === 'concept' && isEnd(predicted)) return;

    const decoding = { embeddings: [predicted], lang, beamSize, maxSeqLen };
    const [sentence] = await inference.decode(decoding, signal);
    if (sentence === undefined) return;
    const { text, score } = sentence;
    const vector = generation.feedback === 'concept' ? predicted : await embeddingOf(text);
    if (generation.feedback === 'text' && isEnd(vector)) return;
    read.push(vector);
    yield { text, score, embedding: vector };
  }
}

/** What decides whether a text ends; all vectors are raw. */
export interface GeneratedConcept {
  vector: Float32Array;
  /** The concept before it, of the writer's text or generated. */
  previous: Float32Array;
  /** The concept of the sentence that ends a text. */
  eos: Float32Array;
  /** Sentences generated before it. */
  generated: number;
}

/**
 * Tells whether a concept ends the text: it is the end, or a repetition of the concept before.
 * The first `minGenLen` never do.
 *
 * reference: LCMGenerator._step
 */
export function endsText(
  { vector, previous, eos, generated }: GeneratedConcept,
  { eosThreshold, repetitionThreshold, minGenLen }: Generation,
): boolean {
  if (generated < minGenLen) return false;
  if (cosine(vector, eos) >= eosThreshold) return true;
  return repetitionThreshold !== null && cosine(vector, previous) >= repetitionThreshold;
}

/** Puts the sentence in front that texts begin with in training, if there is one. */
async function withBegin(
  context: readonly Concept[],
  { beginText }: Generation,
  embeddingOf: (text: string) => Promise<Float32Array>,
): Promise<Float32Array[]> {
  const embeddings = context.map(({ embedding }) => embedding);
  return beginText === null ? embeddings : [await embeddingOf(beginText), ...embeddings];
}

/** Each sentence has noise of its own, and the first that of `nextSentences`. */
function samplingOfStep(sampling: SamplingOptions, generated: number): SamplingOptions {
  return { ...sampling, count: 1, seed: (sampling.seed + generated) % 2 ** 32 };
}
