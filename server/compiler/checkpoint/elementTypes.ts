import { bfloat16ToFloat32, float16ToFloat32, int64ToFloat32 } from './floatTypes.ts';

/** How elements of one type lie in a file, and how they become float32. */
interface ElementLayout {
  sizeBytes: number;
  /** Widens the first `count` elements of `chunk` into `target` from `start` on. */
  widen(chunk: ArrayBuffer, count: number, target: Float32Array, start: number): void;
}

/** The element types that tensors of models have. Anything else is told as not supported. */
export type ElementType =
  | 'float64'
  | 'float32'
  | 'float16'
  | 'bfloat16'
  | 'int64'
  | 'int32'
  | 'uint8'
  | 'bool';

/** Little-endian, as is every machine that onnxruntime-node runs on. */
export const elementTypes: Readonly<Record<ElementType, ElementLayout>> = {
  float64: {
    sizeBytes: 8,
    widen: (chunk, count, target, start) => target.set(new Float64Array(chunk, 0, count), start),
  },
  float32: {
    sizeBytes: 4,
    widen: (chunk, count, target, start) => target.set(new Float32Array(chunk, 0, count), start),
  },
  float16: {
    sizeBytes: 2,
    widen: (chunk, count, target, start) =>
      float16ToFloat32(new Uint16Array(chunk, 0, count), target, start),
  },
  bfloat16: {
    sizeBytes: 2,
    widen: (chunk, count, target, start) =>
      bfloat16ToFloat32(new Uint16Array(chunk, 0, count), target, start),
  },
  int64: {
    sizeBytes: 8,
    widen: (chunk, count, target, start) =>
      int64ToFloat32(new BigInt64Array(chunk, 0, count), target, start),
  },
  int32: {
    sizeBytes: 4,
    widen: (chunk, count, target, start) => target.set(new Int32Array(chunk, 0, count), start),
  },
  uint8: {
    sizeBytes: 1,
    widen: (chunk, count, target, start) => target.set(new Uint8Array(chunk, 0, count), start),
  },
  bool: {
    sizeBytes: 1,
    widen: (chunk, count, target, start) => target.set(new Uint8Array(chunk, 0, count), start),
  },
};
