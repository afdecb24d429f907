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
  #lang = '';

  constructor(inference: Inference) {
    this.#inference = inference;
  }

  /** Forgets all embeddings, which belong to the model before, and takes the language of the next. */
  reset(lang: string): void {
    this.#cache.clear();
    this.#lang = lang;
  }

  /** Returns the concepts of the sentences, in order; only those not known yet are encoded. */
  async concepts(texts: readonly string[], signal?: AbortSignal): Promise<Concept[]> {
    const missing = [...new Set(texts)].filter((text) => !this.#cache.has(text));
    const encoded = new Map<string, Float32Array>();
    if (missing.length > 0) {
      const request = { sentences: missing, lang: this.#lang };
      const embeddings = await this.#inference.encode(request, signal);
      for (const [i, text] of missing.entries()) {
        const embedding = embeddings[i];
        if (embedding === undefined) continue;
        encoded.set(text, embedding);
        this.#cache.set(text, embedding);
      }
    }
    return texts.flatMap((text) => {
      const embedding = encoded.get(text) ?? this.#cache.get(text);
      return embedding === undefined ? [] : [{ text, embedding }];
    });
  }
}
