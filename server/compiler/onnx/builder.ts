import { assert } from '../../base/errors.ts';
import { float32ToFloat16 } from '../../tensor/float16.ts';
import { type DataType, type Tensor, tensor } from '../../tensor/tensor.ts';
import type {
  Attribute,
  Constant,
  Dimension,
  Graph,
  Node,
  Value,
  ValueInfo,
  Weight,
  WeightGroup,
} from './graph.ts';

/** What a call of an operator adds to a graph. */
export interface NodeCall {
  opType: string;
  domain?: Node['domain'];
  inputs: readonly (Value | null)[];
  outputs: readonly DataType[];
  attributes?: Readonly<Record<string, Attribute>>;
}

/** Collects the parts of a graph and keeps their names unique. */
export class GraphBuilder {
  readonly #name: string;
  readonly #inputs: ValueInfo[] = [];
  readonly #outputs: ValueInfo[] = [];
  readonly #outputNames = new Map<string, string>();
  readonly #nodes: Node[] = [];
  readonly #constants = new Map<string, Constant>();
  readonly #weightGroups: WeightGroup[] = [];
  readonly #weights = new Map<string, Weight>();
  readonly #nameCounts = new Map<string, number>();

  constructor(name: string) {
    this.#name = name;
  }

  /** Adds an input of the graph. */
  input(name: string, type: DataType, shape: readonly Dimension[]): Value {
    const input = { name, type, shape };
    this.#inputs.push(input);
    return input;
  }

  /** Makes the result of an operator an output of the graph, under a name of its own. */
  output(name: string, value: Value, shape: readonly Dimension[]): void {
    this.#outputs.push({ name, type: value.type, shape });
    this.#outputNames.set(value.name, name);
  }

  /** Adds an operator, named after its place in the model. */
  node(prefix: string, call: NodeCall): Value[] {
    const name = this.#uniqueName(prefix === '' ? call.opType : `${prefix}.${call.opType}`);
    const outputs = call.outputs.map((type, index) => ({
      name: index === 0 ? name : `${name}:${index}`,
      type,
    }));
    this.#nodes.push({
      name,
      opType: call.opType,
      domain: call.domain ?? '',
      inputs: call.inputs.map((input) => input?.name ?? ''),
      outputs: outputs.map((output) => output.name),
      attributes: call.attributes ?? {},
    });
    return outputs;
  }

  /** Returns the constant with the given elements; equal constants are one. */
  constant(type: DataType, shape: readonly number[], values: readonly number[]): Value {
    const key = `${type}[${shape.join(',')}](${values.join(',')})`;
    const found = this.#constants.get(key);
    if (found) return found;
    const added = {
      name: this.#uniqueName(values.length > 4 ? `${type}[${shape.join(',')}]` : key),
      type,
      tensor: constantTensor(type, shape, values),
    };
    this.#constants.set(key, added);
    return added;
  }

  /** Adds weights that `load` makes together; weights that are there already are not made again. */
  weights(group: WeightGroup): readonly Value[] {
    const found = group.weights.filter(({ name }) => this.#weights.has(name));
    assert(
      found.length === 0 || found.length === group.weights.length,
      `${found[0]?.name}: expected one group, found two`,
    );
    if (found.length === 0) {
      this.#weightGroups.push(group);
      for (const weight of group.weights) this.#weights.set(weight.name, weight);
    }
    return group.weights.map((weight) => this.#weights.get(weight.name) ?? weight);
  }

  /** Returns the graph. */
  finish(): Graph {
    const rename = (name: string) => this.#outputNames.get(name) ?? name;
    return {
      name: this.#name,
      inputs: this.#inputs,
      outputs: this.#outputs,
      nodes: this.#nodes.map((node) => ({
        ...node,
        inputs: node.inputs.map(rename),
        outputs: node.outputs.map(rename),
      })),
      constants: [...this.#constants.values()],
      weightGroups: this.#weightGroups,
    };
  }

  #uniqueName(name: string): string {
    const count = this.#nameCounts.get(name) ?? 0;
    this.#nameCounts.set(name, count + 1);
    return count === 0 ? name : `${name}_${count}`;
  }
}

function constantTensor(
  type: DataType,
  shape: readonly number[],
  values: readonly number[],
): Tensor {
  switch (type) {
    case 'float32':
      return tensor(type, shape, Float32Array.from(values));
    case 'float16':
      return tensor(type, shape, float32ToFloat16(Float32Array.from(values)));
    case 'int64':
      return tensor(type, shape, BigInt64Array.from(values, BigInt));
    case 'int32':
      return tensor(type, shape, Int32Array.from(values));
    case 'int8':
      return tensor(type, shape, Int8Array.from(values));
    case 'uint8':
    case 'bool':
      return tensor(type, shape, Uint8Array.from(values));
  }
}
