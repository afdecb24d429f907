import type { Pull } from '../../protocol/completion.ts';
import { conceptSpace, rawSpace } from '../../server/features/conceptSpace.ts';
import { resolveSteering } from '../../server/features/steering.ts';
import { cosine } from '../../server/tensor/vector.ts';
import type { EvaluationSet } from './evaluationSet.ts';
import { mean, type Vectors } from './geometry.ts';
import type { Product } from './product.ts';
import { isWellFormed, wordsOf } from './words.ts';

/*
 * What steering does to the sentences that are written: those that follow the beginning of each
 * window, predicted once, bent by `resolveSteering` and decoded greedily. Every property is
 * measured everywhere; that of a direction should move with its strength, and little else.
 */

/** One that samples and one that says the mean of what may come: what lies between takes minutes each. */
const measured: readonly string[] = ['two-tower', 'base'];

const numContext = 8;
const numCandidates = 2;
const strengths = [0.25, 0.5, 0.75, 1] as const;

/** What is steered toward; no window is about any of them in particular. */
const phrases = [
  'The weather is getting colder.',
  'We need more money for the schools.',
  'She remembered her mother.',
  'This would be a serious mistake.',
  'He opened the old wooden door.',
  'The results were not what the researchers expected.',
];

/** How sentences begin whose directions were learnt from their beginnings: training/directions.py. */
const cues = {
  continue:
    /^(Therefore|Thus|Hence|Consequently|Moreover|Furthermore|In addition|Additionally|As a result|For this reason|Similarly|Likewise|This means|That means|That is why|Accordingly)\b/,
  example:
    /^(For example|For instance|As an example|One example|An example|Consider|Suppose|Imagine)\b/,
  conclude:
    /^(In conclusion|To conclude|In summary|To summari[sz]e|In short|Overall|In the end|All in all|Finally|Ultimately|On the whole|The moral)\b/,
} as const;

/** As in training/directions.py. */
const abstractNoun = /^\p{L}{2,}(tion|sion|ment|ness|ity|ism|ance|ence|ship|hood|ency|ancy)s?$/u;
const placed =
  /\b(on|under|into|behind|over|through|across|beside|inside|onto|near|above|beneath|around|against) (the|a|an|his|her|its|their|my|your) \w/i;

export async function evaluateSteering(product: Product, set: EvaluationSet) {
  const figures: Record<string, unknown> = {};
  for (const lcm of product.model.conceptModels.filter((name) => measured.includes(name))) {
    figures[lcm] = await measureModel(product, set, lcm);
  }
  return { strengths, phrases: phrases.length, models: figures };
}

/** A prediction and what was there before it. */
interface Place {
  prediction: Float32Array;
  /** The sentence before, and its concept. */
  before: string;
  concept: Float32Array;
}

async function measureModel(product: Product, set: EvaluationSet, lcm: string) {
  const places: Place[] = [];
  for (const { sentences } of set.windows) {
    const texts = sentences.slice(0, numContext);
    const context = await product.encode(texts);
    const concept = context.at(-1);
    const before = texts.at(-1);
    if (concept === undefined || before === undefined) continue;
    const predictions = await product.predict(lcm, context, numCandidates);
    places.push(...predictions.map((prediction) => ({ prediction, before, concept })));
  }
  const measure = measuring(product, set, lcm, places);
  const atAll = async (measured: (strength: number) => Promise<unknown>) => {
    const found: Record<string, unknown> = {};
    for (const strength of strengths) found[strength] = await measured(strength);
    return found;
  };
  const directions: Record<string, unknown> = {};
  for (const name of Object.keys(product.model.directions)) {
    const pull = { kind: 'direction', name } as Pull; // whatever names the model has
    directions[name] = await atAll((strength) => measure.directed([pull], strength));
  }
  return {
    sentences: places.length,
    unsteered: await measure.directed([], 0),
    directions,
    toward: { 0: await measure.toward(0), ...(await atAll(measure.toward)) },
    away: { 0: await measure.away(0), ...(await atAll(measure.away)) },
  };
}

function measuring(product: Product, set: EvaluationSet, lcm: string, places: readonly Place[]) {
  const { model } = product;
  const space = conceptSpace(model, lcm);
  const known = new Set(set.words);
  const rarityOf = rarity(set);
  const resolve = (pulls: Pull[], strength: number) =>
    resolveSteering(
      { pulls, strength },
      {
        encode: async (sentences) => {
          const texts = sentences.map(({ text }) => text);
          const embeddings = await product.encode(texts);
          return texts.map((text, i) => ({ text, embedding: embeddings[i] as Float32Array }));
        },
        space,
        raw: rawSpace(model, lcm),
        lang: model.defaultLang,
        directions: model.directions,
      },
    );

  /** Writes each place's prediction, bent by its own pulls. */
  const write = async (pullsOf: (place: Place) => Pull[], strength: number) => {
    const bent: Float32Array[] = [];
    for (const place of places) {
      const steering = await resolve(pullsOf(place), strength);
      bent.push(steering === null ? place.prediction : steering.bend(place.prediction));
    }
    const texts = await product.decode(bent);
    return { texts, concepts: await product.encode(texts) };
  };

  /** The properties of what was written. */
  const properties = ({ texts, concepts }: { texts: string[]; concepts: Vectors }) => {
    const words = texts.map(wordsOf);
    const share = (is: (text: string) => boolean) => mean(texts.map((text) => Number(is(text))));
    const abstract = words.map(
      (all) => all.filter((word) => abstractNoun.test(word)).length / Math.max(1, all.length),
    );
    const near = places.map(({ prediction }, i) =>
      cosine(space(prediction), space(concepts[i] ?? prediction)),
    );
    return {
      words: mean(words.map(({ length }) => length)),
      rarity: mean(words.map(rarityOf)),
      abstract: mean(abstract),
      placed: share((text) => placed.test(text)),
      continue: share((text) => cues.continue.test(text)),
      example: share((text) => cues.example.test(text)),
      conclude: share((text) => cues.conclude.test(text)),
      well_formed: share((text) => isWellFormed(text, known)),
      cosine_to_prediction: mean(near),
    };
  };

  return {
    directed: async (pulls: Pull[], strength: number) =>
      properties(await write(() => pulls, strength)),
    toward: async (strength: number) => {
      const all: Record<string, number>[] = [];
      for (const text of phrases) {
        const written = await write(() => [{ kind: 'toward', text }], strength);
        const [target] = await product.encode([text]);
        all.push({
          cosine_to_text: mean(
            written.concepts.map((x) =>
              target === undefined ? 0 : cosine(space(x), space(target)),
            ),
          ),
          ...properties(written),
        });
      }
      return averages(all);
    },
    away: async (strength: number) => {
      const written = await write(({ before }) => [{ kind: 'away', text: before }], strength);
      const cosines = written.concepts.map((x, i) =>
        cosine(space(x), space(places[i]?.concept ?? x)),
      );
      return { cosine_to_text: mean(cosines), ...properties(written) };
    },
  };
}

/** Returns the mean of − log p of words, p counted in the held-out sentences; 0 of no words. */
function rarity(set: EvaluationSet): (words: readonly string[]) => number {
  const texts = [
    ...set.sentences.map(({ text }) => text),
    ...set.neighbours.flat(),
    ...set.windows.flatMap(({ sentences }) => sentences),
  ];
  const counts = new Map<string, number>();
  let total = 0;
  for (const word of texts.flatMap(wordsOf)) {
    counts.set(word, (counts.get(word) ?? 0) + 1);
    total += 1;
  }
  const rarityOf = (word: string) => Math.log(total / (counts.get(word) ?? 1));
  return (words) => (words.length === 0 ? 0 : mean(words.map(rarityOf)));
}

function averages(all: readonly Record<string, number>[]): Record<string, number> {
  const names = Object.keys(all[0] ?? {});
  return Object.fromEntries(names.map((name) => [name, mean(all.map((one) => one[name] ?? 0))]));
}
