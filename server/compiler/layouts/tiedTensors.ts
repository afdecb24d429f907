import { bytesOf } from '../onnx/scope.ts';
import type { WeightSource } from '../onnx/weights.ts';

/** Elements that are read at once: 4 MB of each tensor. */
const blockElements = 1 << 20;

/** Returns whether two tensors have the same shape and numbers, a few rows at a time. */
export function areEqual(source: WeightSource, first: string, second: string): boolean {
  if (source.shares?.(first, second)) return true;
  const shape = source.shape(first);
  const otherShape = source.shape(second);
  if (shape.length !== otherShape.length) return false;
  if (shape.some((size, index) => size !== otherShape[index])) return false;
  const others = blocksOf(source, second);
  for (const values of blocksOf(source, first)) {
    const { value: otherValues } = others.next();
    // Bytes, because a table has 262 million numbers: 0.1 s, where numbers take 7 s.
    if (!otherValues || Buffer.compare(bytesOf(values), bytesOf(otherValues)) !== 0) return false;
  }
  return true;
}

/** Returns whether all numbers of a tensor are zero, a few rows at a time. */
export function isZero(source: WeightSource, name: string): boolean {
  for (const values of blocksOf(source, name)) {
    if (values.some((value) => value !== 0)) return false;
  }
  return true;
}

function* blocksOf(source: WeightSource, name: string): Generator<Float32Array, undefined> {
  const [numRows, ...rowShape] = source.shape(name);
  if (numRows === undefined) {
    yield source.read(name);
    return;
  }
  const rowElements = rowShape.reduce((product, size) => product * size, 1);
  const blockRows = Math.max(1, Math.floor(blockElements / Math.max(1, rowElements)));
  for (let row = 0; row < numRows; row += blockRows) {
    yield source.readRows(name, row, Math.min(blockRows, numRows - row));
  }
}
