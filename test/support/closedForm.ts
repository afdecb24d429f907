import type { WeightSource } from '../../server/compiler/onnx/weights.ts';
import { elementCount } from '../../server/tensor/tensor.ts';

/*
 * Weights by a closed form of their names, so that golden values need no checkpoint. The same
 * rule filled the reference models whose outputs the tests compare with.
 */

/** Numbers in [−1, 1) that depend on the name alone. */
export function closedFormValues(name: string, count: number): Float64Array {
  const seed = fnv1a(name);
  return Float64Array.from(
    { length: count },
    (_, index) => (fmix32((seed + Math.imul(index, 0x9e3779b1)) >>> 0) / 2 ** 32) * 2 - 1,
  );
}

/** Those numbers times `factor`, as float32. */
export function closedFormVector(name: string, count: number, factor = 1): Float32Array {
  return Float32Array.from(closedFormValues(name, count), (value) => value * factor);
}

/** A checkpoint with the given keys and shapes. */
export function closedFormWeights(
  shapes: Readonly<Record<string, readonly number[]>>,
): WeightSource {
  const shapeOf = (name: string) => shapes[name] ?? [];
  const read = (name: string) => closedFormWeight(name, shapeOf(name));
  return {
    label: 'closed form',
    names: () => Object.keys(shapes),
    has: (name) => name in shapes,
    shape: shapeOf,
    type: () => 'float32',
    read,
    readRows: (name, firstRow, rowCount) => {
      const rowSize = elementCount(shapeOf(name).slice(1));
      return read(name).subarray(firstRow * rowSize, (firstRow + rowCount) * rowSize);
    },
  };
}

function closedFormWeight(name: string, shape: readonly number[]): Float32Array {
  const values = closedFormValues(name, elementCount(shape));
  const [, inputDim] = shape;
  if (name.endsWith('layer_norm.weight')) return Float32Array.from(values, (v) => 1 + 0.2 * v);
  if (name.endsWith('.bias')) return Float32Array.from(values, (v) => 0.1 * v);
  if (inputDim === undefined) return Float32Array.from(values);
  return Float32Array.from(values, (v) => v * Math.sqrt(3 / inputDim));
}

/** Source: Fowler, Noll and Vo, FNV-1a, 32 bits. */
export function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) {
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  }
  return hash;
}

/** Source: Appleby, MurmurHash3, 32-bit finaliser. */
export function fmix32(value: number): number {
  let x = value >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}
