import { RecentlyUsed } from '../base/recentlyUsed.ts';
import type { Inference } from '../inference/inference.ts';

/** A sentence and the language it is in. The same words in another language are another sentence. */
export interface SourceSentence {
  text: string;
  lang: string;
}

/** A sentence together with its embedding, [E]. */
export interface Concept {
  text: string;
  embedding: Float32Array;
}

/** Encodes sentences, each once, as `SentenceConcepts` does. */
export type EncodeSentences = (
  sentences: readonly SourceSentence[],
  signal?: AbortSignal,
) => Promise<Concept[]>;

/** Sentences kept: 10,000 embeddings of 384 numbers are 15 MB. Moved, copied and undone ones stay free. */
const cacheCapacity = 10_000;

/** Sentences → concepts, each sentence encoded once. */
export class SentenceConcepts {
  readonly #inference: Inference;
  /** Embeddings by `keyOf` their sentences. */
  readonly #cache = new RecentlyUsed<Float32Array>(cacheCapacity);
  /** Requests by `keyOf` the sentences that they encode. */
  readonly #underway = new Map<string, Promise<unknown>>();

  constructor(inference: Inference) {
    this.#inference = inference;
  }

  /** Forgets all embeddings, which belong to the model before. */
  reset(): void {
    this.#cache.clear();
  }

  /**
   * Returns the concepts of the sentences, in order; only those not known yet are encoded. What
   * another request is encoding already is waited for.
   */
  async concepts(sentences: readonly SourceSentence[], signal?: AbortSignal): Promise<Concept[]> {
    const underway = () =>
      new Set(sentences.flatMap((sentence) => this.#underway.get(keyOf(sentence)) ?? []));
    for (let waiting = underway(); waiting.size > 0; waiting = underway()) {
      await Promise.allSettled(waiting);
      signal?.throwIfAborted();
    }
    const missing = new Map<string, SourceSentence>();
    for (const sentence of sentences) {
      const key = keyOf(sentence);
      if (!this.#cache.has(key)) missing.set(key, sentence);
    }
    const encoded = await this.#encode(missing, signal);
    return sentences.flatMap((sentence) => {
      const key = keyOf(sentence);
      const embedding = encoded.get(key) ?? this.#cache.get(key);
      return embedding === undefined ? [] : [{ text: sentence.text, embedding }];
    });
  }

  /** Returns the concepts of the sentences as far as they are known; asks nobody. */
  known(sentences: readonly SourceSentence[]): (Concept | null)[] {
    return sentences.map((sentence) => {
      const embedding = this.#cache.get(keyOf(sentence));
      return embedding === undefined ? null : { text: sentence.text, embedding };
    });
  }

  async #encode(
    missing: ReadonlyMap<string, SourceSentence>,
    signal: AbortSignal | undefined,
  ): Promise<Map<string, Float32Array>> {
    const encoded = new Map<string, Float32Array>();
    if (missing.size === 0) return encoded;
    const keys = [...missing.keys()];
    const sentences = [...missing.values()];
    const request = {
      sentences: sentences.map(({ text }) => text),
      lang: sentences.map(({ lang }) => lang),
    };
    const work = this.#inference.encode(request, signal);
    for (const key of keys) this.#underway.set(key, work);
    try {
      for (const [i, embedding] of (await work).entries()) {
        const key = keys[i] ?? '';
        encoded.set(key, embedding);
        this.#cache.set(key, embedding);
      }
    } finally {
      for (const key of keys) this.#underway.delete(key);
    }
    return encoded;
  }
}

/** Puts sentences together with their languages, in order. */
export function inLanguages(
  sentences: readonly { text: string }[],
  choices: readonly { code: string }[],
): SourceSentence[] {
  return sentences.map(({ text }, i) => ({ text, lang: choices[i]?.code ?? '' }));
}

/** Codes of languages have no spaces. */
function keyOf({ text, lang }: SourceSentence): string {
  return `${lang} ${text}`;
}
