import { IntegrityError } from '../base/errors.ts';
import { norm } from '../tensor/vector.ts';

/** How far a length may be from 1: float32, thousands of elements. */
const lengthTolerance = 1e-3;

/**
 * Reads the directions of a model folder.
 *
 * @param bytes  little-endian float32, one direction after the other, [names, E]
 * @returns each by its name, of length 1, [E]
 * @throws IntegrityError when the size is another, or a direction is not of length 1
 */
export function parseDirections(
  bytes: Uint8Array,
  names: readonly string[],
  { embeddingDim, label }: { embeddingDim: number; label: string },
): Readonly<Record<string, Float32Array>> {
  const sizeBytes = names.length * embeddingDim * Float32Array.BYTES_PER_ELEMENT;
  if (bytes.byteLength !== sizeBytes) {
    throw new IntegrityError(`${label}: expected ${sizeBytes} bytes, found ${bytes.byteLength}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const valueAt = (i: number) => view.getFloat32(i * Float32Array.BYTES_PER_ELEMENT, true);
  return Object.fromEntries(
    names.map((name, row) => {
      const start = row * embeddingDim;
      const direction = Float32Array.from({ length: embeddingDim }, (_, i) => valueAt(start + i));
      const length = norm(direction);
      // Not true of NaN either.
      if (Math.abs(length - 1) <= lengthTolerance) return [name, direction];
      throw new IntegrityError(`${label}: ${name}: expected length 1, found ${length}`);
    }),
  );
}
