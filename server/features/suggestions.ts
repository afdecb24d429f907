import { type Confidence, type Inference, maxCandidates } from '../inference/inference.ts';
import { cosine } from '../tensor/vector.ts';
import type { ConceptSpace } from './conceptSpace.ts';
import { confidenceOf } from './confidence.ts';
import { KnownSpans, withoutInventions } from './fragileGuard.ts';
import {
  type GeneratedSentence,
  type NextSentencesOptions,
  predictConcepts,
  type WritingOptions,
  writeConcepts,
} from './nextSentences.ts';
import {
  type Candidate,
  differentIdeas,
  type GeneratedCandidate,
  isReadable,
  type OwnCandidate,
  overSampling,
  rank,
  Said,
  support,
} from './ranking.ts';
import type { Concept, EncodeSentences, SourceSentence } from './sentenceConcepts.ts';
import type { ResolvedSteering } from './steering.ts';

/*
 * What a writer is offered: predict → decode → re-encode → rank → filter. More is predicted than
 * is shown, everything written is read again, and of the different ideas the best are kept that
 * invent nothing.
 */

/** What suggestions are made with. */
export interface SuggestionParts {
  inference: Inference;
  /** Encodes each sentence once: the one that the writer accepts is known already. */
  encode: EncodeSentences;
  space: ConceptSpace;
  /** Whether the model knows the entropy of bytes, and so what a name looks like. */
  hasEntropies?: boolean;
  /** How sure the concept model may be of a sentence; absent where nobody has measured it. */
  confidence?: Confidence | null;
  /** Finds the writer's own sentences that may come next; absent when they are not wanted. */
  findOwn?: (count: number, signal?: AbortSignal) => Promise<readonly Concept[]>;
}

/** What a suggestion must be to be shown. */
export interface SuggestionWriting extends WritingOptions {
  /** The most that are wanted. */
  count: number;
  /** The sentence that ends every text in the training of the concept model. */
  eos: SourceSentence | null;
  /**
   * The text around the caret. Its numbers and names may be said again, its sentences are not
   * offered again.
   */
  surroundings: string;
  /** Finds more sentences that are not offered again, whatever their wording or language. */
  findTaken?: (signal?: AbortSignal) => Promise<readonly Concept[]>;
}

export interface SuggestionOptions extends NextSentencesOptions, Omit<SuggestionWriting, 'count'> {
  /** null where the suggestions go where they will. */
  steering: ResolvedSteering | null;
}

/**
 * Returns the sentences that are worth showing, best first: at most `sampling.count`, fewer when
 * the models have fewer ideas.
 *
 * @param context  the concepts of the document so far; none gives no suggestions
 */
export async function suggestSentences(
  parts: SuggestionParts,
  context: readonly Concept[],
  options: SuggestionOptions,
  signal?: AbortSignal,
): Promise<Candidate[]> {
  const { count } = options.sampling;
  const predictions = await predictSuggestions(parts, context, options, signal);
  return writeSuggestions(parts, { context, predictions }, { ...options, count }, signal);
}

/** Predicts more concepts than `sampling.count` suggestions need, [E] each, and bends them. */
export async function predictSuggestions(
  { inference }: Pick<SuggestionParts, 'inference'>,
  context: readonly Concept[],
  { sampling, steering }: Pick<SuggestionOptions, 'sampling' | 'steering'>,
  signal?: AbortSignal,
): Promise<Float32Array[]> {
  const count = Math.min(sampling.count * overSampling, maxCandidates);
  const predictions = await predictConcepts(inference, context, { ...sampling, count }, signal);
  return steering === null ? predictions : predictions.map(steering.bend);
}

/** Writes what was predicted, in any language, and keeps what is worth showing, best first. */
export async function writeSuggestions(
  { inference, encode, space, hasEntropies = false, confidence = null, findOwn }: SuggestionParts,
  { context, predictions }: { context: readonly Concept[]; predictions: readonly Float32Array[] },
  options: SuggestionWriting,
  signal?: AbortSignal,
): Promise<Candidate[]> {
  const { eos, surroundings, findTaken, lang, count } = options;
  const sentences = await writeConcepts(inference, predictions, options, signal);
  if (sentences.length === 0) return [];

  const taken = [...context, ...(eos === null ? [] : await encode([eos], signal))];
  const said = new Said(
    taken.map(({ text }) => text),
    surroundings,
  );
  const isReadableHere = ({ text }: { text: string }) => isReadable(text) && !said.has(text);
  const readable = sentences.filter(isReadableHere);
  const generated = await readBack(readable, { encode, space, lang }, signal);

  const own = ((await findOwn?.(count, signal)) ?? [])
    .filter(isReadableHere)
    .map((concept) => ownCandidate(concept, predictions, space));

  const texts = [...generated, ...own].map(({ text }) => text);
  const bytes = hasEntropies ? await inference.surprisals(texts, signal) : [];
  const measured = generated.map((one, i) => ({ ...one, surprisal: meanOf(bytes[i]) }));
  const surprisalsOf = new Map(texts.map((text, i) => [text, bytes[i]]));

  const judge = (candidate: GeneratedCandidate) => confidenceOf(candidate, confidence, lang);
  const ranked = rank([...measured, ...own], predictions, space, judge);
  // What the writer said elsewhere is no invention.
  const known = new KnownSpans([surroundings, ...own.map(({ text }) => text)].join('\n'));
  const surprisals = ranked.flatMap(({ text }) => surprisalsOf.get(text) ?? []);
  const plain = withoutInventions(ranked, known, { lang, surprisals });
  const elsewhere = (await findTaken?.(signal)) ?? [];
  return differentIdeas(plain, [...taken, ...elsewhere], space).slice(0, count);
}

function meanOf(values: Float32Array | undefined): number | null {
  if (values === undefined || values.length === 0) return null;
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Encodes what was written, and compares it with what was predicted. */
export async function readBack(
  sentences: readonly GeneratedSentence[],
  { encode, space, lang }: { encode: EncodeSentences; space: ConceptSpace; lang: string },
  signal?: AbortSignal,
): Promise<GeneratedCandidate[]> {
  const concepts = await encode(
    sentences.map(({ text }) => ({ text, lang })),
    signal,
  );
  return sentences.flatMap((sentence, i) => {
    const concept = concepts[i]?.embedding;
    if (concept === undefined) return [];
    const agreement = cosine(space(sentence.embedding), space(concept));
    const unknown = { surprisal: null, confidence: null };
    return [{ ...sentence, origin: 'model', concept, agreement, fidelity: agreement, ...unknown }];
  });
}

function ownCandidate(
  { text, embedding: concept }: Concept,
  predictions: readonly Float32Array[],
  space: ConceptSpace,
): OwnCandidate {
  const agreement = support(concept, predictions, space) ?? 0;
  return { origin: 'own', text, concept, agreement, confidence: null };
}
