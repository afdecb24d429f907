import { WeightMismatchError } from '../../base/errors.ts';
import type { WeightSource } from './weights.ts';

/** The weights of a checkpoint, each read with the shape that the model expects of it. */
export class CheckpointWeights {
  readonly #source: WeightSource;
  readonly #used = new Set<string>();

  constructor(source: WeightSource) {
    this.#source = source;
  }

  has(name: string): boolean {
    return this.#source.has(name);
  }

  /**
   * Marks a weight as used and checks its shape; its numbers are not read yet.
   *
   * @returns reads the weight, row-major; throws WeightMismatchError when a number is not finite
   * @throws WeightMismatchError when the checkpoint lacks it or has it in another shape
   */
  use(name: string, shape: readonly number[]): () => Float32Array {
    if (!this.#source.has(name)) {
      throw new WeightMismatchError(`${this.#name(name)}: expected [${shape}], found no such key`);
    }
    const found = this.#source.shape(name);
    if (found.length !== shape.length || found.some((size, index) => size !== shape[index])) {
      throw new WeightMismatchError(
        `${this.#name(name)}: expected [${shape.join(', ')}], found [${found.join(', ')}]`,
      );
    }
    this.#used.add(name);
    return () => this.#readFinite(name);
  }

  /**
   * Checks that the model understood the whole checkpoint.
   *
   * @param leftAside  patterns of keys that the model knows and does not need
   * @throws WeightMismatchError when a key was neither used nor left aside
   */
  assertAllUsed(leftAside: readonly RegExp[]): void {
    const unknown = this.#source
      .names()
      .filter((name) => !this.#used.has(name) && !leftAside.some((key) => key.test(name)));
    if (unknown.length === 0) return;
    const shown = unknown.slice(0, 3).join(', ');
    throw new WeightMismatchError(
      `${this.#source.label}: expected only keys of the model, found ${unknown.length} others: ${shown}`,
    );
  }

  #readFinite(name: string): Float32Array {
    const values = this.#source.read(name);
    for (let index = 0; index < values.length; index++) {
      if (Number.isFinite(values[index])) continue;
      throw new WeightMismatchError(
        `${this.#name(name)}: expected finite numbers, found ${values[index]} at element ${index}`,
      );
    }
    return values;
  }

  #name(name: string): string {
    return `${this.#source.label}: ${name}`;
  }
}
