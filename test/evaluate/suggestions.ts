import { conceptSpace } from '../../server/features/conceptSpace.ts';
import { differentIdeas, isReadable, sameIdea, support } from '../../server/features/ranking.ts';
import { cosine, quantile } from '../../server/tensor/vector.ts';
import type { EvaluationSet, TextPair } from './evaluationSet.ts';
import { mean, type Vectors } from './geometry.ts';
import { type Offer, ownSentenceFigures } from './ownSentences.ts';
import type { Product } from './product.ts';

/*
 * What the constants of server/features/ranking.ts and ownSentences.ts rest on: where the same idea
 * begins, how well sentences say what was predicted, which order brings the best one to the front,
 * and whether the writer's own sentences help. Distances are those of the product's concept space.
 */

/** Sentences of a window that candidates are asked to follow, and how many are asked for. */
const numContext = 8;
const numCandidates = 6;
const numOffered = 3;

export async function evaluateSuggestions(product: Product, set: EvaluationSet) {
  const { conceptModels } = product.model;
  const windows: Window[] = [];
  for (const { source, sentences } of set.windows) {
    windows.push({ source, concepts: await product.encode(sentences) });
  }
  const byModel: Record<string, unknown> = {};
  for (const lcm of conceptModels) byModel[lcm] = await measureCandidates(product, lcm, windows);
  const [first] = conceptModels;
  return {
    same_idea: sameIdea,
    cosine: {
      paraphrases: await pairFigures(product, set.paraphrases),
      neighbours: await pairFigures(product, set.neighbours),
    },
    candidates: byModel,
    own_sentences: first === undefined ? {} : await measureOwn(product, first, windows),
  };
}

interface Window {
  source: string;
  concepts: Vectors;
}

async function pairFigures(product: Product, pairs: readonly TextPair[]) {
  const space = conceptSpace(product.model, product.model.conceptModels[0] ?? '');
  const left = await product.encode(pairs.map(([text]) => text));
  const right = await product.encode(pairs.map(([, text]) => text));
  const cosines = left.map((x, i) => cosine(space(x), space(right[i] ?? x)));
  return {
    ...spread(cosines),
    same_idea: mean(cosines.map((value) => Number(value >= sameIdea))),
  };
}

/** Predicts, writes and reads again, as the product does, but greedily. */
async function offersAt(product: Product, lcm: string, context: Vectors) {
  const predicted = await product.predict(lcm, context, numCandidates);
  const texts = await product.decode(predicted);
  const concepts = await product.encode(texts);
  return predicted.map((embedding, i) => ({
    predicted: embedding,
    concept: concepts[i] ?? embedding,
    text: texts[i] ?? '',
  }));
}

async function measureCandidates(product: Product, lcm: string, windows: readonly Window[]) {
  const space = conceptSpace(product.model, lcm);
  const agreements: number[] = [];
  const kept: number[] = [];
  const readable: number[] = [];
  /** Of the sentence that each order puts first and the one that the writer wrote. */
  const nearness = { sampled: [] as number[], agreement: [] as number[], support: [] as number[] };
  for (const { concepts } of windows) {
    const context = concepts.slice(0, numContext);
    const truth = concepts[numContext];
    if (truth === undefined) continue;
    const offers = await offersAt(product, lcm, context);
    const agreement = offers.map((one) => cosine(space(one.predicted), space(one.concept)));
    const supports = offers.map(({ concept }, i) => {
      const others = offers.filter((_, j) => j !== i).map(({ predicted }) => predicted);
      return support(concept, others, space) ?? 0;
    });
    agreements.push(...agreement);
    readable.push(...offers.map(({ text }) => Number(isReadable(text))));
    const candidates = offers.map((one, i) => ({
      ...{ origin: 'model' as const, text: one.text, score: 0, embedding: one.predicted },
      ...{ concept: one.concept, agreement: agreement[i] ?? 0, fidelity: agreement[i] ?? 0 },
      ...{ surprisal: null, confidence: null },
    }));
    const taken = context.map((embedding) => ({ text: '', embedding }));
    kept.push(differentIdeas(candidates, taken, space).length / candidates.length);
    const nearnessOf = (order: readonly number[]) => {
      const best = offers[order.indexOf(Math.max(...order))];
      return best === undefined ? 0 : cosine(space(best.concept), space(truth));
    };
    nearness.sampled.push(nearnessOf(offers.map((_, i) => -i)));
    nearness.agreement.push(nearnessOf(agreement));
    nearness.support.push(nearnessOf(supports));
  }
  return {
    agreement: spread(agreements),
    readable: mean(readable),
    different_ideas: mean(kept),
    nearness_of_first: {
      sampled: mean(nearness.sampled),
      agreement: mean(nearness.agreement),
      support: mean(nearness.support),
    },
  };
}

/** Takes the windows of each source for the documents of one writer. */
async function measureOwn(product: Product, lcm: string, windows: readonly Window[]) {
  const options = {
    space: conceptSpace(product.model, lcm),
    count: numOffered,
    minContext: numContext,
  };
  const predict = (context: Vectors): Promise<Offer[]> => offersAt(product, lcm, context);
  const figures: Record<string, unknown> = {};
  for (const source of new Set(windows.map((window) => window.source))) {
    const documents = windows.filter((window) => window.source === source);
    const concepts = documents.map((document) => document.concepts);
    figures[source] = await ownSentenceFigures(concepts, predict, options);
  }
  return figures;
}

function spread(values: readonly number[]) {
  const sorted = Float32Array.from(values);
  const at = (q: number) => (sorted.length === 0 ? 0 : quantile(sorted, q));
  return { p1: at(0.01), p25: at(0.25), median: at(0.5), p75: at(0.75), p99: at(0.99) };
}
