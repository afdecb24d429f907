import { elementCount } from '../../tensor/tensor.ts';
import type { ByteSource } from './byteSource.ts';
import { type ElementType, elementTypes } from './elementTypes.ts';

/*
 * A tensor in a file, and how its elements are gathered from there. Every container gives these;
 * they have been checked to lie inside their file.
 */

/** Where a tensor lies. Element (i, j, …) is the one with number i·strides[0] + j·strides[1] + … */
export interface StoredTensor {
  readonly source: ByteSource;
  readonly type: ElementType;
  readonly shape: readonly number[];
  /** Steps along each dimension, in elements; zero repeats. */
  readonly strides: readonly number[];
  /** Of element (0, 0, …), from the start of the source. Not always a multiple of its size. */
  readonly byteOffset: number;
}

/** ONNX Runtime takes no more dimensions, and no network of ours has more than four. */
export const maxRank = 8;

/** Bytes that are widened at once: fits in a second-level cache with its float32 result. */
const chunkBytes = 1 << 18;

/** Steps up to here are read over; with longer ones, each element is read alone. */
const maxReadOverElements = 64;

/** Returns the strides of a row-major tensor without holes. */
export function contiguousStrides(shape: readonly number[]): number[] {
  return shape.map((_, axis) => elementCount(shape.slice(axis + 1)));
}

/** Returns the rows of a tensor from `firstRow` on; the caller has checked that they exist. */
export function rowsOf(tensor: StoredTensor, firstRow: number, rowCount: number): StoredTensor {
  const stepBytes = (tensor.strides[0] ?? 0) * elementTypes[tensor.type].sizeBytes;
  return {
    ...tensor,
    shape: [rowCount, ...tensor.shape.slice(1)],
    byteOffset: tensor.byteOffset + firstRow * stepBytes,
  };
}

/**
 * Reads a tensor as float32 in row-major order, and no more of the file than it covers.
 *
 * @throws CheckpointFormatError when the file has shrunk since it was opened
 */
export function readTensor(tensor: StoredTensor): Float32Array {
  const values = new Float32Array(elementCount(tensor.shape));
  if (values.length === 0) return values;
  const axes = sourceOrder(tensor);
  const run = axes.pop() ?? { size: 1, stride: 1, targetStride: 1 };
  const readRun = runReader(tensor, run, values);
  const { sizeBytes } = elementTypes[tensor.type];
  const visit = (depth: number, byteOffset: number, target: number): void => {
    const axis = axes[depth];
    if (axis === undefined) {
      readRun(byteOffset, target);
      return;
    }
    for (let index = 0; index < axis.size; index++) {
      const start = byteOffset + index * axis.stride * sizeBytes;
      visit(depth + 1, start, target + index * axis.targetStride);
    }
  };
  visit(0, tensor.byteOffset, 0);
  return values;
}

/** A dimension: its steps in the file and in the row-major result, in elements. */
interface Axis {
  size: number;
  stride: number;
  targetStride: number;
}

/** Returns the dimensions in the order of the file, those joined that lie behind one another. */
function sourceOrder({ shape, strides }: StoredTensor): Axis[] {
  const targetStrides = contiguousStrides(shape);
  const axes = shape
    .map((size, axis): Axis => {
      const [stride = 0, targetStride = 0] = [strides[axis], targetStrides[axis]];
      return { size, stride, targetStride };
    })
    .filter(({ size }) => size > 1)
    .sort((a, b) => b.stride - a.stride || b.targetStride - a.targetStride);
  const joined: Axis[] = [];
  for (const axis of axes) {
    const outer = joined.at(-1);
    if (outer && continues(outer, axis)) {
      joined[joined.length - 1] = { ...axis, size: outer.size * axis.size };
    } else {
      joined.push(axis);
    }
  }
  return joined;
}

function continues(outer: Axis, inner: Axis): boolean {
  return (
    outer.stride === inner.size * inner.stride &&
    outer.targetStride === inner.size * inner.targetStride
  );
}

/** Returns what reads the elements along one dimension into `values`. */
function runReader(
  { source, type }: StoredTensor,
  { size, stride, targetStride }: Axis,
  values: Float32Array,
): (byteOffset: number, target: number) => void {
  const isContiguous = stride === 1 && targetStride === 1;
  if (isContiguous && type === 'float32') {
    return (byteOffset, target) =>
      source.read(byteOffset, new Uint8Array(values.buffer, target * 4, size * 4));
  }
  const { sizeBytes, widen } = elementTypes[type];
  const perChunk = stride > maxReadOverElements ? 1 : chunkBytes / sizeBytes / Math.max(stride, 1);
  const chunkSize = Math.min(size, Math.floor(perChunk));
  const chunk = new ArrayBuffer(((chunkSize - 1) * stride + 1) * sizeBytes);
  const widened = new Float32Array(isContiguous ? 0 : chunk.byteLength / sizeBytes);
  return (byteOffset, target) => {
    for (let done = 0; done < size; done += chunkSize) {
      const count = Math.min(chunkSize, size - done);
      const span = (count - 1) * stride + 1;
      source.read(
        byteOffset + done * stride * sizeBytes,
        new Uint8Array(chunk, 0, span * sizeBytes),
      );
      if (isContiguous) {
        widen(chunk, count, values, target + done);
        continue;
      }
      widen(chunk, span, widened, 0);
      for (let index = 0; index < count; index++) {
        values[target + (done + index) * targetStride] = widened[index * stride] ?? 0; // in range
      }
    }
  };
}
