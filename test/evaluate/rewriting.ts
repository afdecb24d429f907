import { conceptSpace, rawSpace } from '../../server/features/conceptSpace.ts';
import { between, centreOf, typicalNorm } from '../../server/features/rewriting/blends.ts';
import { bridgeGap } from '../../server/features/rewriting/bridge.ts';
import { condenseParagraph } from '../../server/features/rewriting/condense.ts';
import { expandHeading } from '../../server/features/rewriting/expand.ts';
import { rephraseSentence } from '../../server/features/rewriting/rephrase.ts';
import type { PlacedSentence, RewritingParts } from '../../server/features/rewriting/wordings.ts';
import { samplingOptions } from '../../server/features/sampling.ts';
import type { EncodeSentences } from '../../server/features/sentenceConcepts.ts';
import { cosine } from '../../server/tensor/vector.ts';
import type { EvaluationSet } from './evaluationSet.ts';
import { mean } from './geometry.ts';
import type { Product } from './product.ts';
import { wordsOf } from './words.ts';

/*
 * Rewriting on held-out text, with the functions of server/features/rewriting. Cosines are those of
 * the concept space of the first concept model. They say how near in meaning the models believe a
 * sentence to be, and nothing about its grammar: the examples do.
 */

const numSentences = 60;
const numShown = 10;

/** Pieces up to which a sentence is short: the built-in encoder is good at them. */
const shortPieces = 12;

/** Sentences of a paragraph that is condensed, of the middle of a window. */
const paragraph = { start: 4, end: 9 };

/** The place of the sentence that is hidden and bridged. */
const hiddenAt = 8;

const writing = { lang: 'eng_Latn', beamSize: 3, maxSeqLen: 64 };

export async function evaluateRewriting(product: Product, set: EvaluationSet) {
  const measured = new Measured(product);
  const sentences = set.sentences.slice(0, numSentences);
  const isShort = ({ pieces }: { pieces: number }) => pieces <= shortPieces;
  const short = set.sentences.filter(isShort).slice(0, numSentences);
  return {
    rephrase: {
      all: await measured.rephrase(sentences.map(({ text }) => text)),
      short: await measured.rephrase(short.map(({ text }) => text)),
      spans: await measured.spans(set.fragile.slice(0, numSentences)),
    },
    condense: await measured.condense(set.windows),
    bridge: await measured.bridge(set.windows),
    expand: await measured.expand(short.map(({ text }) => text.replace(/[.!?]["”]?$/, ''))),
  };
}

class Measured {
  readonly #product: Product;
  readonly #lcm: string;
  readonly #parts: RewritingParts;

  constructor(product: Product) {
    const { model, inference } = product;
    this.#product = product;
    this.#lcm = model.conceptModels[0] ?? '';
    const encode: EncodeSentences = async (sentences) => {
      const embeddings = await product.encode(sentences.map(({ text }) => text));
      return sentences.flatMap(({ text }, i) => {
        const embedding = embeddings[i];
        return embedding === undefined ? [] : [{ text, embedding }];
      });
    };
    this.#parts = {
      ...{ inference, encode, space: conceptSpace(model, this.#lcm) },
      ...{ toEmbedding: rawSpace(model, this.#lcm), hasEntropies: model.hasEntropies },
    };
  }

  /** How many have another wording, how near it is, and how many of its words are other ones. */
  async rephrase(texts: readonly string[]) {
    const found = await this.#reworded(texts);
    const offered = found.filter(({ alternatives }) => alternatives.length > 0);
    const best = offered.flatMap(({ text, alternatives: [first] }) =>
      first === undefined ? [] : [{ text, first }],
    );
    return {
      sentences: found.length,
      with_alternative: offered.length / found.length,
      alternatives: mean(offered.map(({ alternatives }) => alternatives.length)),
      cosine_of_first: mean(best.map(({ first }) => first.agreement)),
      other_words_in_first: mean(best.map(({ text, first }) => otherWords(text, first.text))),
      examples: best.slice(0, numShown).map(({ text, first }) => [text, first.text]),
    };
  }

  /** Of sentences with numbers, names or links, how many alternatives have them all. */
  async spans(sentences: EvaluationSet['fragile']) {
    const found = await this.#reworded(sentences.map(({ text }) => text));
    const kept = found.flatMap(({ alternatives }, i) =>
      alternatives.map(({ text }) =>
        Number((sentences[i]?.spans ?? []).every((span) => text.includes(span))),
      ),
    );
    const offered = found.filter(({ alternatives }) => alternatives.length > 0);
    return {
      sentences: found.length,
      with_alternative: offered.length / found.length,
      alternatives_that_keep_all: mean(kept),
    };
  }

  /** Against the writer's sentence that is nearest to the centre. */
  async condense(windows: EvaluationSet['windows']) {
    const cosines = { first: [] as number[], extractive: [] as number[] };
    const own: number[] = [];
    const examples: unknown[] = [];
    for (const { sentences } of windows) {
      const placed = await this.#place(sentences.slice(paragraph.start, paragraph.end));
      const concepts = placed.map(({ concept }) => concept);
      const weights = concepts.map(() => 1);
      const centre = centreOf(concepts, weights, typicalNorm(concepts));
      const [first] = await condenseParagraph(this.#parts, placed, writing);
      const [read] = await this.#place(first === undefined ? [] : [first.text]);
      if (read === undefined) continue;
      cosines.first.push(cosine(read.concept, centre));
      cosines.extractive.push(Math.max(...concepts.map((concept) => cosine(concept, centre))));
      own.push(Number(placed.some(({ text }) => text === read.text)));
      examples.push([placed.map(({ text }) => text).join(' '), read.text]);
    }
    return {
      paragraphs: own.length,
      cosine_to_centre: mean(cosines.first),
      cosine_to_centre_of_best_own: mean(cosines.extractive),
      own_sentence_first: mean(own),
      examples: examples.slice(0, numShown),
    };
  }

  /** Hides a sentence and compares it with what is written in its place. */
  async bridge(windows: EvaluationSet['windows']) {
    const nearness = {
      ...{ bridge: [] as number[], next_sentence: [] as number[] },
      ...{ midpoint_written: [] as number[], midpoint_concept: [] as number[] },
    };
    const examples: unknown[] = [];
    let tried = 0;
    for (const { sentences } of windows) {
      const placed = await this.#place(sentences.slice(0, hiddenAt + 2));
      const [before, hidden, after] = placed.slice(hiddenAt - 1);
      if (before === undefined || hidden === undefined || after === undefined) continue;
      tried += 1;
      const context = placed.slice(0, hiddenAt);
      const sampling = samplingOptions(this.#product.model, this.#lcm, { count: 1 });
      const surroundings = sentences.filter((_, i) => i !== hiddenAt).join(' ');
      const options = { ...writing, sampling, surroundings };
      const [first] = await bridgeGap(this.#parts, { before, after, context }, options);
      if (first === undefined) continue;
      const embeddings = context.map(({ embedding }) => embedding);
      const [next] = await this.#product.predict(this.#lcm, embeddings, 1);
      const r = typicalNorm([before.concept, after.concept]);
      const middle = between(before.concept, after.concept, 0.5, r);
      const written = await this.#write([this.#parts.toEmbedding(middle), ...(next ? [next] : [])]);
      const [bridge] = await this.#place([first.text]);
      const to = (one: Float32Array | undefined) => cosine(one ?? hidden.concept, hidden.concept);
      nearness.bridge.push(to(bridge?.concept));
      nearness.next_sentence.push(to(written[1]?.concept));
      nearness.midpoint_written.push(to(written[0]?.concept));
      nearness.midpoint_concept.push(to(middle));
      examples.push([before.text, first.text, after.text]);
    }
    const nearnessToHidden = Object.entries(nearness).map(([name, all]) => [name, mean(all)]);
    return {
      places: tried,
      with_bridge: examples.length / tried,
      cosine_to_hidden: Object.fromEntries(nearnessToHidden),
      examples: examples.slice(0, numShown),
    };
  }

  /** Takes short sentences without their full stop for headings. */
  async expand(headings: readonly string[]) {
    const agreements: number[] = [];
    const lengths: number[] = [];
    const examples: unknown[] = [];
    for (const heading of await this.#place(headings.slice(0, numSentences / 2))) {
      const sampling = samplingOptions(this.#product.model, this.#lcm, { count: 1 });
      const options = { ...writing, sampling, surroundings: heading.text };
      const [first] = await expandHeading(this.#parts, heading, [], options);
      if (first === undefined) continue;
      agreements.push(first.agreement);
      lengths.push(first.text.split(/(?<=[.!?]["”]?) /).length);
      examples.push([heading.text, first.text]);
    }
    return {
      headings: Math.min(headings.length, numSentences / 2),
      with_passage: agreements.length / Math.min(headings.length, numSentences / 2),
      cosine_to_heading: mean(agreements),
      sentences: mean(lengths),
      examples: examples.slice(0, numShown),
    };
  }

  async #reworded(texts: readonly string[]) {
    const found = [];
    for (const sentence of await this.#place(texts)) {
      const { text } = sentence;
      const options = { ...writing, source: text };
      found.push({ text, alternatives: await rephraseSentence(this.#parts, sentence, options) });
    }
    return found;
  }

  async #place(texts: readonly string[]): Promise<PlacedSentence[]> {
    const embeddings = await this.#product.encode(texts);
    return embeddings.map((embedding, i) => {
      return { text: texts[i] ?? '', embedding, concept: this.#parts.space(embedding) };
    });
  }

  async #write(embeddings: readonly Float32Array[]): Promise<PlacedSentence[]> {
    const written = await this.#parts.inference.decode({ embeddings, ...writing });
    return this.#place(written.map(({ text }) => text));
  }
}

/** Returns the share of all words of two sentences that only one of them has. */
function otherWords(a: string, b: string): number {
  const [left, right] = [new Set(wordsOf(a)), new Set(wordsOf(b))];
  const all = new Set([...left, ...right]);
  const shared = [...left].filter((word) => right.has(word));
  return all.size === 0 ? 0 : 1 - shared.length / all.size;
}
