import type { WeightSource, WeightType } from '../onnx/weights.ts';

/** Where a tensor of a view lies. */
export interface RenamedTensor {
  /** Its key in the file. */
  key: string;
  /** The rows of the file that are the first rows of the view; null when all rows are in place. */
  firstRows: readonly number[] | null;
}

/** A view over a checkpoint under other names. Nothing is copied until it is read. */
export class RenamedWeights implements WeightSource {
  readonly label: string;
  readonly #source: WeightSource;
  readonly #tensors: ReadonlyMap<string, RenamedTensor>;
  readonly #absentKey: (name: string) => string;

  /**
   * @param tensors    by the names of the view
   * @param absentKey  the key that a name would have in the file, for names that are not there
   */
  constructor(
    source: WeightSource,
    tensors: ReadonlyMap<string, RenamedTensor>,
    absentKey: (name: string) => string,
  ) {
    this.label = source.label;
    this.#source = source;
    this.#tensors = tensors;
    this.#absentKey = absentKey;
  }

  names(): readonly string[] {
    return [...this.#tensors.keys()];
  }

  has(name: string): boolean {
    return this.#tensors.has(name);
  }

  shape(name: string): readonly number[] {
    return this.#source.shape(this.key(name));
  }

  type(name: string): WeightType {
    return this.#source.type(this.key(name));
  }

  read(name: string): Float32Array {
    const values = this.#source.read(this.key(name));
    return this.#inOrder(name, values, 0, this.shape(name)[0] ?? 0);
  }

  readRows(name: string, firstRow: number, rowCount: number): Float32Array {
    const values = this.#source.readRows(this.key(name), firstRow, rowCount);
    return this.#inOrder(name, values, firstRow, rowCount);
  }

  key(name: string): string {
    return this.#tensors.get(name)?.key ?? this.#absentKey(name);
  }

  /** Puts the first rows of a table in their places, as far as they are among `values`. */
  #inOrder(name: string, values: Float32Array, firstRow: number, rowCount: number): Float32Array {
    const firstRows = this.#tensors.get(name)?.firstRows ?? [];
    const moved = firstRows.slice(firstRow, firstRow + rowCount);
    if (moved.length === 0) return values;
    const head = this.#source.readRows(this.key(name), 0, firstRows.length);
    const rowSize = values.length / rowCount;
    for (const [row, from] of moved.entries()) {
      values.set(head.subarray(from * rowSize, (from + 1) * rowSize), row * rowSize);
    }
    return values;
  }
}
