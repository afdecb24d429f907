import type { Inference } from '../inference/inference.ts';
import { ConceptCache } from './conceptCache.ts';

/** A sentence together with its embedding, [E]. */
export interface Concept {
  text: string;
  embedding: Float32Array;
}

/** Sentences → concepts, each sentence encoded once. */
export class SentenceConcepts {
  readonly #inference: Inference;
  readonly #cache = new ConceptCache();
  /** Requests by the sentences that they encode. */
  readonly #underway = new Map<string, Promise<unknown>>();
  #lang = '';

  constructor(inference: Inference) {
    this.#inference = inference;
  }

  /** Forgets all embeddings, which belong to the model before, and takes the language of the next. */
  reset(lang: string): void {
    this.#cache.clear();
    this.#lang = lang;
  }

  /**
   * Returns the concepts of the sentences, in order; only those not known yet are encoded. What
   * another request is encoding already is waited for.
   */
  async concepts(texts: readonly string[], signal?: AbortSignal): Promise<Concept[]> {
    const underway = () => new Set(texts.flatMap((text) => this.#underway.get(text) ?? []));
    for (let waiting = underway(); waiting.size > 0; waiting = underway()) {
      await Promise.allSettled(waiting);
      signal?.throwIfAborted();
    }
    const missing = [...new Set(texts)].filter((text) => !this.#cache.has(text));
    const encoded = missing.length > 0 ? await this.#encode(missing, signal) : new Map();
    return texts.flatMap((text) => {
      const embedding = encoded.get(text) ?? this.#cache.get(text);
      return embedding === undefined ? [] : [{ text, embedding }];
    });
  }

  async #encode(
    texts: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<Map<string, Float32Array>> {
    const work = this.#inference.encode({ sentences: texts, lang: this.#lang }, signal);
    for (const text of texts) this.#underway.set(text, work);
    const encoded = new Map<string, Float32Array>();
    try {
      for (const [i, embedding] of (await work).entries()) {
        const text = texts[i] ?? '';
        encoded.set(text, embedding);
        this.#cache.set(text, embedding);
      }
    } finally {
      for (const text of texts) this.#underway.delete(text);
    }
    return encoded;
  }
}
