/**
 * Embeddings of sentences, by their text, so that no sentence is encoded twice.
 * Bounded, least recently used first: moved, copied and undone sentences stay free.
 */
export class ConceptCache {
  readonly #embeddings = new Map<string, Float32Array>();
  readonly #capacity: number;

  /** @param capacity sentences kept; 10,000 of 384 numbers are 15 MB */
  constructor(capacity = 10_000) {
    this.#capacity = capacity;
  }

  has(text: string): boolean {
    return this.#embeddings.has(text);
  }

  /** Returns the embedding of a sentence, [E], and marks it as used. */
  get(text: string): Float32Array | undefined {
    const embedding = this.#embeddings.get(text);
    if (embedding !== undefined) {
      this.#embeddings.delete(text);
      this.#embeddings.set(text, embedding);
    }
    return embedding;
  }

  set(text: string, embedding: Float32Array): void {
    this.#embeddings.delete(text);
    this.#embeddings.set(text, embedding);
    if (this.#embeddings.size > this.#capacity) {
      const oldest = this.#embeddings.keys().next();
      if (!oldest.done) this.#embeddings.delete(oldest.value);
    }
  }

  /** Forgets everything: another model has another space. */
  clear(): void {
    this.#embeddings.clear();
  }
}
