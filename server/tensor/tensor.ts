import { assert } from '../base/errors.ts';

/** The element types that tensors of ours have in memory. */
export type DataType = 'float32' | 'float16' | 'int64' | 'int32' | 'int8' | 'uint8' | 'bool';

/** The typed array that holds the elements of a tensor of type `T`. */
export interface TypedArrays {
  float32: Float32Array;
  /** Bit patterns. */
  float16: Uint16Array;
  int64: BigInt64Array;
  int32: Int32Array;
  int8: Int8Array;
  uint8: Uint8Array;
  bool: Uint8Array;
}

/** Elements in row-major order, with their type and shape. */
export interface Tensor<T extends DataType = DataType> {
  readonly type: T;
  readonly shape: readonly number[];
  readonly data: TypedArrays[T];
}

/** Returns the number of elements of a tensor of the given shape. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/**
 * Joins type, shape and data.
 *
 * @throws AssertionError when the data do not fill the shape
 */
export function tensor<T extends DataType>(
  type: T,
  shape: readonly number[],
  data: TypedArrays[T],
): Tensor<T> {
  assert(
    data.length === elementCount(shape),
    `tensor [${shape.join(', ')}]: expected ${elementCount(shape)} elements, found ${data.length}`,
  );
  return { type, shape, data };
}
