import { assert } from '../../base/errors.ts';
import type { DataType } from '../../tensor/tensor.ts';
import type { GraphBuilder } from './builder.ts';
import type { Attribute, Node, Value } from './graph.ts';

/** A value, or a number that becomes a constant of the other operand's type. */
export type Operand = Value | number;

/** What a node has besides its inputs. */
interface NodeProperties {
  /** Of its output. */
  type: DataType;
  attributes?: Record<string, Attribute>;
  domain?: Node['domain'];
}

/** Puts nodes of one place in the model into a graph; what `Ops` and `ContribOps` share. */
export class Nodes {
  readonly #builder: GraphBuilder;
  readonly #prefix: string;

  /** @param prefix  place in the model, which begins the names of the nodes */
  constructor(builder: GraphBuilder, prefix: string) {
    this.#builder = builder;
    this.#prefix = prefix;
  }

  /** A constant: a scalar from a number, a vector from an array. */
  constant(type: DataType, values: number | readonly number[]): Value {
    if (typeof values === 'number') return this.#builder.constant(type, [], [values]);
    return this.#builder.constant(type, [values.length], values);
  }

  /** A node with one output. */
  protected node(
    opType: string,
    inputs: readonly (Value | null)[],
    { type, ...properties }: NodeProperties,
  ): Value {
    const [result] = this.nodes(opType, inputs, { types: [type], ...properties });
    assert(result !== undefined, `${opType}: expected an output`);
    return result;
  }

  /** A node with an output of each of `types`. */
  protected nodes(
    opType: string,
    inputs: readonly (Value | null)[],
    { types, ...properties }: Omit<NodeProperties, 'type'> & { types: readonly DataType[] },
  ): Value[] {
    return this.#builder.node(this.#prefix, { opType, inputs, outputs: types, ...properties });
  }

  /** The values of two operands. */
  protected operands(a: Operand, b: Operand): [Value, Value] {
    const type = typeof a === 'number' ? (typeof b === 'number' ? 'float32' : b.type) : a.type;
    const value = (x: Operand) => (typeof x === 'number' ? this.constant(type, x) : x);
    return [value(a), value(b)];
  }
}
