import type { DataType, Tensor } from '../../tensor/tensor.ts';

/*
 * An ONNX graph as plain data. Ops and Scope write it, serialize reads it; nothing else does.
 * Constants are small and live in the model file. Weights live in the external-data file and are
 * produced one group at a time, so that a whole model is never in memory.
 */

/** An edge of the graph: the name and element type of a tensor that exists when the graph runs. */
export interface Value {
  readonly name: string;
  readonly type: DataType;
}

/** A number, or the letter of a dimension that is only known when the graph runs. */
export type Dimension = number | string;

/** An input or output of the graph. */
export interface ValueInfo extends Value {
  readonly shape: readonly Dimension[];
}

export type Attribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly ints: readonly number[] };

/** One operator. An empty input name stands for an optional input that is not given. */
export interface Node {
  readonly name: string;
  readonly opType: string;
  /** Empty for the operators of ONNX itself. */
  readonly domain: '' | 'com.microsoft';
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/** A value that the model file holds. */
export interface Constant extends Value {
  readonly tensor: Tensor;
}

/** A value that the external-data file holds. */
export interface Weight extends Value {
  readonly shape: readonly number[];
}

/** Weights that are made together, such as quantized rows and their scales. */
export interface WeightGroup {
  readonly weights: readonly Weight[];
  /**
   * Returns the little-endian bytes of each weight, in order. Called once, while the
   * external-data file is written.
   */
  load(): readonly Uint8Array[];
}

export interface Graph {
  readonly name: string;
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  /** In an order in which every node comes after the nodes it reads from. */
  readonly nodes: readonly Node[];
  readonly constants: readonly Constant[];
  readonly weightGroups: readonly WeightGroup[];
}
