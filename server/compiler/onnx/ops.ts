import { assert } from '../../base/errors.ts';
import type { DataType } from '../../tensor/tensor.ts';
import { ContribOps } from './contribOps.ts';
import type { Attribute, Value } from './graph.ts';
import type { Operand } from './nodes.ts';

/**
 * The operators that our models use, one method each, under their names in the ONNX
 * specification, and ONNX Runtime's own. Inputs are positional, attributes by name. Shapes
 * broadcast as in NumPy.
 *
 * Source: onnx/docs/Operators.md.
 */
export class Ops extends ContribOps {
  /** A B over the last two dimensions, [..., S, K] and [..., K, T] → [..., S, T]. */
  MatMul(a: Value, b: Value): Value {
    return this.#node('MatMul', [a, b], a.type);
  }

  /** A Bᵀ + c: [S, D], [F, D] and [F] → [S, F]. */
  Gemm(a: Value, b: Value, c: Value | null): Value {
    return this.#node('Gemm', c ? [a, b, c] : [a, b], a.type, { transB: { int: 1 } });
  }

  Add(a: Operand, b: Operand): Value {
    return this.#binary('Add', a, b);
  }

  Sub(a: Operand, b: Operand): Value {
    return this.#binary('Sub', a, b);
  }

  Mul(a: Operand, b: Operand): Value {
    return this.#binary('Mul', a, b);
  }

  Div(a: Operand, b: Operand): Value {
    return this.#binary('Div', a, b);
  }

  /** The larger of two, element by element. */
  Max(a: Operand, b: Operand): Value {
    return this.#binary('Max', a, b);
  }

  /** a ≤ b as bool. */
  LessOrEqual(a: Operand, b: Operand): Value {
    return this.#binary('LessOrEqual', a, b, 'bool');
  }

  /** `whenTrue` where `condition` holds, `whenFalse` elsewhere. */
  Where(condition: Value, whenTrue: Operand, whenFalse: Operand): Value {
    const [a, b] = this.operands(whenTrue, whenFalse);
    return this.#node('Where', [condition, a, b], a.type);
  }

  Abs(x: Value): Value {
    return this.#node('Abs', [x], x.type);
  }

  Cos(x: Value): Value {
    return this.#node('Cos', [x], x.type);
  }

  Sin(x: Value): Value {
    return this.#node('Sin', [x], x.type);
  }

  Relu(x: Value): Value {
    return this.#node('Relu', [x], x.type);
  }

  Sigmoid(x: Value): Value {
    return this.#node('Sigmoid', [x], x.type);
  }

  /** Softmax over the last dimension. */
  Softmax(x: Value): Value {
    return this.#node('Softmax', [x], x.type, { axis: { int: -1 } });
  }

  /** Natural logarithm. */
  Log(x: Value): Value {
    return this.#node('Log', [x], x.type);
  }

  /** (x − mean) / √(variance + ε) · scale + bias over the last dimension. */
  LayerNormalization(
    x: Value,
    scale: Value,
    bias: Value | null,
    { epsilon }: { epsilon: number },
  ): Value {
    const inputs = bias ? [x, scale, bias] : [x, scale];
    return this.#node('LayerNormalization', inputs, x.type, { epsilon: { float: epsilon } });
  }

  /** x / √(mean of squares + ε) · scale over the last dimension. */
  RMSNormalization(x: Value, scale: Value, { epsilon }: { epsilon: number }): Value {
    return this.#node('RMSNormalization', [x, scale], x.type, { epsilon: { float: epsilon } });
  }

  /**
   * Rotates the pairs of every head: (x₂ᵢ, x₂ᵢ₊₁) when interleaved, else (x_i, x_{i + K/2}).
   *
   * @param x            [N, H, S, K]
   * @param cosines      [T, K / 2]
   * @param sines        [T, K / 2]
   * @param positionIds  rows of the tables, [N, S] int64
   * @returns [N, H, S, K]
   */
  RotaryEmbedding(
    x: Value,
    cosines: Value,
    sines: Value,
    positionIds: Value,
    { interleaved }: { interleaved: boolean },
  ): Value {
    return this.#node('RotaryEmbedding', [x, cosines, sines, positionIds], x.type, {
      interleaved: { int: interleaved ? 1 : 0 },
    });
  }

  /** Largest element along `axes`. */
  ReduceMax(x: Value, { axes, keepdims }: ReduceAttributes): Value {
    return this.#reduce('ReduceMax', x, axes, keepdims);
  }

  /** Sum along `axes`. */
  ReduceSum(x: Value, { axes, keepdims }: ReduceAttributes): Value {
    return this.#reduce('ReduceSum', x, axes, keepdims);
  }

  /**
   * The k largest along the last dimension, descending: [N, V] → [N, k] values, [N, k] int64.
   *
   * @param k  [1] int64
   */
  TopK(x: Value, k: Value): [Value, Value] {
    const [values, indices] = this.nodes('TopK', [x, k], { types: [x.type, 'int64'] });
    assert(values !== undefined && indices !== undefined, 'TopK: expected 2 outputs');
    return [values, indices];
  }

  /** Entries of `x` along `axis`; a scalar index removes the dimension. */
  Gather(x: Value, indices: Operand, { axis }: { axis: number }): Value {
    return this.#node('Gather', [x, this.#index(indices)], x.type, { axis: { int: axis } });
  }

  /**
   * Slices of `x` at the coordinates that the last dimension of `indices` holds, after the first
   * `batchDims` dimensions, which both share.
   */
  GatherND(x: Value, indices: Value, { batchDims = 0 } = {}): Value {
    return this.#node('GatherND', [x, indices], x.type, { batch_dims: { int: batchDims } });
  }

  /** Entries `start` to `end`, exclusive, along one axis. Bounds are [1] int64. */
  Slice(x: Value, start: Value, end: Value, { axis }: { axis: number }): Value {
    return this.#node('Slice', [x, start, end, this.constant('int64', [axis])], x.type);
  }

  Concat(inputs: readonly Value[], { axis }: { axis: number }): Value {
    assert(inputs[0] !== undefined, 'Concat: expected an input, found none');
    return this.#node('Concat', inputs, inputs[0].type, { axis: { int: axis } });
  }

  /** `count` equal parts along `axis`. */
  Split(x: Value, count: number, { axis }: { axis: number }): Value[] {
    return this.nodes('Split', [x], {
      types: new Array<DataType>(count).fill(x.type),
      attributes: { axis: { int: axis }, num_outputs: { int: count } },
    });
  }

  /** The same elements in another shape; 0 copies a dimension, one −1 is inferred. */
  Reshape(x: Value, shape: Value | readonly number[]): Value {
    return this.#node('Reshape', [x, this.#vector(shape)], x.type);
  }

  Transpose(x: Value, { perm }: { perm: readonly number[] }): Value {
    return this.#node('Transpose', [x], x.type, { perm: { ints: perm } });
  }

  /** Adds dimensions of size 1. */
  Unsqueeze(x: Value, axes: readonly number[]): Value {
    return this.#node('Unsqueeze', [x, this.#vector(axes)], x.type);
  }

  /** Repeats `x` until it has the given shape, [rank] int64. */
  Expand(x: Value, shape: Value): Value {
    return this.#node('Expand', [x, shape], x.type);
  }

  Cast(x: Value, type: DataType): Value {
    const codes = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7, bool: 9, float16: 10 };
    return this.#node('Cast', [x], type, { to: { int: codes[type] } });
  }

  /** Sizes of the dimensions `start` to `end`, exclusive, [end − start] int64. */
  Shape(x: Value, { start, end }: { start: number; end: number }): Value {
    return this.#node('Shape', [x], 'int64', { start: { int: start }, end: { int: end } });
  }

  /** start, start + 1 … limit − 1. Bounds are scalars. */
  Range(start: Value, limit: Value): Value {
    return this.#node('Range', [start, limit, this.constant(start.type, 1)], start.type);
  }

  /**
   * round(x / scale) + zeroPoint, saturated to uint8; one scale per row.
   *
   * @param x          [S, D]
   * @param scale      [S]
   * @param zeroPoint  [S] uint8, or null for 0
   * @returns [S, D] uint8
   */
  QuantizeLinear(x: Value, scale: Value, zeroPoint: Value | null): Value {
    const inputs = zeroPoint ? [x, scale, zeroPoint] : [x, scale];
    return this.#node('QuantizeLinear', inputs, 'uint8', { axis: { int: 0 } });
  }

  #node(
    opType: string,
    inputs: readonly Value[],
    type: DataType,
    attributes: Record<string, Attribute> = {},
  ): Value {
    return this.node(opType, inputs, { type, attributes });
  }

  #binary(opType: string, a: Operand, b: Operand, type?: DataType): Value {
    const [left, right] = this.operands(a, b);
    return this.#node(opType, [left, right], type ?? left.type);
  }

  #reduce(opType: string, x: Value, axes: readonly number[], keepdims: boolean): Value {
    return this.#node(opType, [x, this.#vector(axes)], x.type, {
      keepdims: { int: keepdims ? 1 : 0 },
    });
  }

  #index(indices: Operand): Value {
    return typeof indices === 'number' ? this.constant('int64', indices) : indices;
  }

  #vector(values: Value | readonly number[]): Value {
    return 'name' in values ? values : this.constant('int64', values);
  }
}

interface ReduceAttributes {
  axes: readonly number[];
  keepdims: boolean;
}
