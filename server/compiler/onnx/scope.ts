import type { DataType } from '../../tensor/tensor.ts';
import type { GraphBuilder } from './builder.ts';
import { type CheckpointWeights, readFloat16, type WeightReader } from './checkpointWeights.ts';
import type { Value, WeightGroup } from './graph.ts';
import { Ops } from './ops.ts';

/**
 * How the large matrices are held: as numbers, as signed bytes with a scale per row, or as four
 * bits with a scale per block of a row.
 */
export type LinearPrecision = 'fp32' | 'fp16' | 'int8' | 'int4';

/** What all scopes of one graph share. */
export interface ScopeContext {
  readonly builder: GraphBuilder;
  readonly weights: CheckpointWeights;
  readonly precision: LinearPrecision;
}

/**
 * A place in the model. It knows the checkpoint prefix and offers the operators, so that a
 * weight, its node and its checkpoint key bear the same name.
 */
export class Scope {
  readonly op: Ops;
  readonly #context: ScopeContext;
  readonly #prefix: string;

  constructor(context: ScopeContext, prefix = '') {
    this.op = new Ops(context.builder, prefix);
    this.#context = context;
    this.#prefix = prefix;
  }

  get precision(): LinearPrecision {
    return this.#context.precision;
  }

  /** Returns the place `name` inside this one. */
  at(name: string | number): Scope {
    return new Scope(this.#context, this.#key(name));
  }

  has(name: string): boolean {
    return this.#context.weights.has(this.#key(name));
  }

  /**
   * Returns a weight of the checkpoint, as it is or rounded to float16.
   *
   * @throws WeightMismatchError when the checkpoint lacks it or has it in another shape; when it
   *         is loaded, if a number is beyond the range of the type
   */
  weight(name: string, shape: readonly number[], type: 'float32' | 'float16' = 'float32'): Value {
    return this.stored(name, shape, this.reader(name, shape), type);
  }

  /** Returns a value of the external-data file with the numbers of `reader`; see `weight`. */
  stored(
    name: string,
    shape: readonly number[],
    reader: WeightReader,
    type: 'float32' | 'float16',
  ): Value {
    return type === 'float32'
      ? this.table(name, type, shape, () => bytesOf(reader.read()))
      : this.table(`${name}.fp16`, type, shape, () => bytesOf(readFloat16(reader)));
  }

  /**
   * Returns what reads a weight, for weights that enter the graph in another form.
   *
   * @throws WeightMismatchError as `weight`
   */
  reader(name: string, shape: readonly number[]): WeightReader {
    return this.#context.weights.use(this.#key(name), shape);
  }

  /** Returns a value of the external-data file that `bytes` makes. */
  table(name: string, type: DataType, shape: readonly number[], bytes: () => Uint8Array): Value {
    const [value] = this.weightGroup([{ name, type, shape }], () => [bytes()]);
    return value;
  }

  /** Returns values of the external-data file that `load` makes together. */
  weightGroup<const T extends readonly WeightGroup['weights'][number][]>(
    weights: T,
    load: WeightGroup['load'],
  ): { [K in keyof T]: Value } {
    const named = weights.map((weight) => ({ ...weight, name: this.#key(weight.name) }));
    return this.#context.builder.weights({ weights: named, load }) as { [K in keyof T]: Value };
  }

  #key(name: string | number): string {
    return this.#prefix === '' ? String(name) : `${this.#prefix}.${name}`;
  }
}

/** Returns the bytes that numbers occupy; ONNX and every machine we run on are little-endian. */
export function bytesOf(values: Float32Array | Uint16Array | Int8Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
