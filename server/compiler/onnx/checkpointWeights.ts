import { WeightMismatchError } from '../../base/errors.ts';
import { float32ToFloat16, maxFloat16 } from '../../tensor/float16.ts';
import { elementCount } from '../../tensor/tensor.ts';
import type { WeightSource } from './weights.ts';

/** Reads the numbers of one weight; throws WeightMismatchError when one of them is not finite. */
export interface WeightReader {
  /** What errors call the weight. */
  readonly name: string;
  /** Returns the weight in row-major order. */
  read(): Float32Array;
  /** Returns some of its rows, in the same order; see `WeightSource.readRows`. */
  readRows(firstRow: number, rowCount: number): Float32Array;
}

/**
 * Reads a weight and rounds it to float16. Clamping would change the model without a word.
 *
 * @throws WeightMismatchError when a number is beyond the range
 */
export function readFloat16({ name, read }: WeightReader): Uint16Array {
  const values = read();
  const index = values.findIndex((value) => Math.abs(value) > maxFloat16);
  if (index < 0) return float32ToFloat16(values);
  throw new WeightMismatchError(
    `${name}: expected numbers up to ±${maxFloat16} for fp16, ` +
      `found ${values[index]} at element ${index}`,
  );
}

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
   * @throws WeightMismatchError when the checkpoint lacks it or has it in another shape
   */
  use(name: string, shape: readonly number[]): WeightReader {
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
    const rowSize = elementCount(shape.slice(1));
    return {
      name: this.#name(name),
      read: () => this.#finite(name, this.#source.read(name), 0),
      readRows: (firstRow, rowCount) => {
        const values = this.#source.readRows(name, firstRow, rowCount);
        return this.#finite(name, values, firstRow * rowSize);
      },
    };
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
    const shown = unknown
      .slice(0, 3)
      .map((name) => this.#key(name))
      .join(', ');
    throw new WeightMismatchError(
      `${this.#source.label}: expected only keys of the model, found ${unknown.length} others: ${shown}`,
    );
  }

  /** @param start  where `values` begin among the elements of the weight */
  #finite(name: string, values: Float32Array, start: number): Float32Array {
    for (let index = 0; index < values.length; index++) {
      if (Number.isFinite(values[index])) continue;
      throw new WeightMismatchError(
        `${this.#name(name)}: expected finite numbers, found ${values[index]} at element ${start + index}`,
      );
    }
    return values;
  }

  #name(name: string): string {
    return `${this.#source.label}: ${this.#key(name)}`;
  }

  /** Returns the key in the file, and our name for it when that is another. */
  #key(name: string): string {
    const key = this.#source.key?.(name) ?? name;
    return key === name ? name : `${key} (${name})`;
  }
}
