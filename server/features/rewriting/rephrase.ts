import { Random } from '../../tensor/random.ts';
import { cosine } from '../../tensor/vector.ts';
import { fragileSpans } from '../../text/fragileSpans.ts';
import { carryOver } from '../fragileGuard.ts';
import type { WritingOptions } from '../nextSentences.ts';
import { sameIdea, wording } from '../ranking.ts';
import { besides } from './blends.ts';
import {
  type Alternative,
  type PlacedSentence,
  type RewritingParts,
  readAgain,
  soundWordings,
  type Wording,
  writeWordings,
} from './wordings.ts';

/*
 * Other wordings of a sentence at the same concept: what one beam finishes beside its best, and the
 * best wordings of concepts a little beside it.
 */

/** Wordings of the concept itself. */
const numHypotheses = 5;

/** How near the concepts beside it are, and how many there are of each. */
const perturbationCosines = [0.95, 0.9];
const numPerturbations = 4;

/** The same sentence is offered the same rewordings. */
const seed = 1;

/** The most that are offered. */
const maxAlternatives = 5;

export interface RephraseOptions extends WritingOptions {
  /** The source of the sentence, whose markup has links and names that its prose lacks. */
  source: string;
}

/**
 * Returns other wordings of one sentence, best first: those that say the same when they are read
 * again (`sameIdea`), and every number, name, identifier and link of it.
 */
export async function rephraseSentence(
  parts: RewritingParts,
  sentence: PlacedSentence,
  { source, ...options }: RephraseOptions,
  signal?: AbortSignal,
): Promise<Alternative[]> {
  const { lang } = options;
  const { concept } = sentence;
  const beside = perturbationCosines.flatMap((near, i) =>
    Array.from({ length: numPerturbations }, (_, j) =>
      besides(concept, near, new Random(seed, i * numPerturbations + j)),
    ),
  );
  const several = { ...options, hypotheses: numHypotheses };
  const written = [
    ...(await writeWordings(parts, [concept], several, signal)),
    ...(await writeWordings(parts, beside, options, signal)),
  ];
  const whole = await keepSpans(parts, written, { text: source, lang }, signal);
  const known = { text: source, own: [sentence.text], lang };
  const sound = await soundWordings(parts, whole, known, signal);
  const said = new Set([wording(sentence.text)]);
  return sound
    .map(({ text, concept: found }) => ({ text, agreement: cosine(found, concept) }))
    .filter(({ agreement }) => agreement >= sameIdea)
    .toSorted((a, b) => b.agreement - a.agreement)
    .filter(({ text }) => {
      const words = wording(text);
      const isNew = !said.has(words);
      said.add(words);
      return isNew;
    })
    .slice(0, maxAlternatives);
}

/**
 * Carries over what may not change, and refuses what still lost something: within one language, a
 * name has no other form.
 */
async function keepSpans(
  parts: RewritingParts,
  written: readonly Wording[],
  source: { text: string; lang: string },
  signal: AbortSignal | undefined,
): Promise<Wording[]> {
  const carried = written.map(({ text }) => carryOver(source, { text, lang: source.lang }));
  const spans = fragileSpans(source.text, { lang: source.lang });
  const fragile = spans.map(({ start, end }) => source.text.slice(start, end));
  const kept = carried
    .filter(({ text, lost }) => lost.length === 0 && fragile.every((span) => text.includes(span)))
    .map(({ text }) => text);
  return readAgain(parts, kept, source.lang, signal);
}

/** One of several sentences that are reworded together. */
export interface RephrasedSentence {
  text: string;
  alternatives: readonly Alternative[];
  /** What stands between it and the next one. */
  gap: string;
}

/**
 * Combines rewordings sentence by sentence, the best ones first; a sentence without as many keeps
 * its last, and one without any its own words.
 *
 * @returns as many as the sentence with most; the agreement is that of the worst sentence
 */
export function combineAlternatives(sentences: readonly RephrasedSentence[]): Alternative[] {
  const count = Math.max(0, ...sentences.map(({ alternatives }) => alternatives.length));
  return Array.from({ length: count }, (_, i) => {
    const chosen = sentences.map(({ alternatives }) => alternatives[i] ?? alternatives.at(-1));
    const text = sentences.map((own, j) => (chosen[j]?.text ?? own.text) + own.gap).join('');
    return { text, agreement: Math.min(...chosen.map((one) => one?.agreement ?? 1)) };
  });
}
