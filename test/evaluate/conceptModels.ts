import { Random } from '../../server/tensor/random.ts';
import { cosine } from '../../server/tensor/vector.ts';
import type { EvaluationSet } from './evaluationSet.ts';
import {
  contrastiveAccuracy,
  distance,
  mean,
  pairCosines,
  type Standard,
  type Vectors,
} from './geometry.ts';
import type { Product } from './product.ts';
import { distinctShare, goesInCircles, isWellFormed, saysAgain, wordsOf } from './words.ts';

/*
 * The concept models: teacher-forced, as in the table of the LCM paper (arXiv:2412.08821, section
 * 2.4.1), and what they propose. training/evaluation/concept_models.py is the same in Python.
 */

/** Sentences of a window that candidates are asked to follow. */
const numContext = 8;
const numCandidates = 4;

/** A sentence to be foretold. */
interface Target {
  /** The concepts before it, [E] each. */
  context: Vectors;
  concept: Float32Array;
  /** Numbers all concepts, with a gap between documents. */
  position: number;
}

export async function evaluateConceptModels(
  product: Product,
  set: EvaluationSet,
  standard: Standard,
) {
  const windows = [];
  for (const { sentences, is_target } of set.windows) {
    windows.push({ concepts: await product.encode(sentences), isTarget: is_target, sentences });
  }
  const targets = windows.flatMap(({ concepts, isTarget }, w) =>
    concepts.flatMap((concept, i): Target[] => {
      const position = w * (concepts.length + 10) + i;
      return isTarget[i] ? [{ context: concepts.slice(0, i), concept, position }] : [];
    }),
  );
  const guesses = new Map<string, Float32Array[]>();
  for (const name of product.model.conceptModels) {
    const predicted: Float32Array[] = [];
    for (const { context } of targets) {
      predicted.push(...(await product.predict(name, context, 1)));
    }
    guesses.set(name, predicted);
  }
  const all = windows.flatMap(({ concepts }) => concepts);
  const random = new Random(1);
  const anyConcept = () => all[Math.floor(random.uniform() * all.length)] ?? standard.center;
  guesses.set(
    'copy the last',
    targets.map(({ context }) => context.at(-1) ?? standard.center),
  );
  guesses.set(
    'centre',
    targets.map(() => standard.center),
  );
  guesses.set('random sentence', targets.map(anyConcept));
  guesses.set(
    'the truth',
    targets.map(({ concept }) => concept),
  );

  const teacherForced: Record<string, unknown> = {};
  for (const [name, guess] of guesses) {
    teacherForced[name] = await measureGuesses(product, standard, targets, guess);
  }
  const known = new Set(set.words);
  const contexts = windows.map(({ concepts, sentences }) => ({
    concepts: concepts.slice(0, numContext),
    sentences: sentences.slice(0, numContext),
  }));
  const candidates: Record<string, unknown> = {};
  for (const name of product.model.conceptModels) {
    candidates[name] = await measureCandidates(product, standard, known, name, contexts);
  }
  return {
    concepts: targets.length,
    windows: windows.length,
    window_length: windows[0]?.concepts.length ?? 0,
    teacher_forced: teacherForced,
    candidates,
  };
}

async function measureGuesses(
  product: Product,
  standard: Standard,
  targets: readonly Target[],
  guesses: Vectors,
) {
  const said = await product.encode(await product.decode(guesses));
  const truth = targets.map(({ concept }) => concept);
  const position = targets.map((target) => target.position);
  const each = (measure: (target: Target, guess: Float32Array, i: number) => number) =>
    mean(targets.map((target, i) => measure(target, guesses[i] ?? target.concept, i)));
  const standardised = (vectors: Vectors) => vectors.map((x) => standard.apply(x));
  return {
    l2: each(({ concept }, guess) => distance(guess, concept)),
    round_trip_l2: each(({ concept }, guess, i) => distance(said[i] ?? guess, concept)),
    par: each(({ context, concept }, guess) => closest(guess, context) / closest(concept, context)),
    contrastive_accuracy: contrastiveAccuracy(guesses, truth, position),
    contrastive_accuracy_standardised: contrastiveAccuracy(
      standardised(guesses),
      standardised(truth),
      position,
    ),
    squared_error_standardised: each(
      ({ concept }, guess) =>
        distance(standard.apply(guess), standard.apply(concept)) ** 2 / concept.length,
    ),
    self_consistency: each((_, guess, i) => standard.cosine(guess, said[i] ?? guess)),
  };
}

function closest(x: Float32Array, context: Vectors): number {
  return Math.max(...context.map((y) => cosine(x, y)));
}

async function measureCandidates(
  product: Product,
  standard: Standard,
  known: ReadonlySet<string>,
  lcm: string,
  contexts: readonly { concepts: Vectors; sentences: readonly string[] }[],
) {
  const groups = [];
  for (const { concepts, sentences } of contexts) {
    const drawn = await product.predict(lcm, concepts, numCandidates);
    const texts = await product.decode(drawn);
    groups.push({ drawn, texts, again: await product.encode(texts), sentences });
  }
  const texts = groups.flatMap((group) => group.texts);
  const share = (isSo: (text: string) => boolean) => mean(texts.map((text) => Number(isSo(text))));
  return {
    contexts: groups.length,
    candidates: numCandidates,
    distance: mean(
      groups.map(({ drawn }) => 1 - mean(pairCosines(drawn.map((x) => standard.centred(x))))),
    ),
    different_texts: mean(groups.map((group) => new Set(group.texts).size / numCandidates)),
    distinct_1: mean(groups.map((group) => distinctShare(group.texts, 1))),
    distinct_2: mean(groups.map((group) => distinctShare(group.texts, 2))),
    in_circles: share((text) => goesInCircles(wordsOf(text))),
    says_again: mean(
      groups.flatMap((group) =>
        group.texts.map((text) => Number(saysAgain(text, group.sentences))),
      ),
    ),
    well_formed: share((text) => isWellFormed(text, known)),
    self_consistency: mean(
      groups.flatMap(({ drawn, again }) => drawn.map((x, i) => standard.cosine(x, again[i] ?? x))),
    ),
  };
}
