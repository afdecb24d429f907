import { IntegrityError } from '../../base/errors.ts';
import { standardize, unstandardize } from '../../tensor/vector.ts';
import type { NormalizerVectors } from '../inference.ts';

/** Raw ⇄ normalised space, in which concept models work. reference: SonarNormalizer. */
export interface Normalizer {
  /** What it computes with; null for the identity. */
  readonly vectors: NormalizerVectors | null;
  /** x̃ = (x − center) / scale, [E]. */
  normalize(x: Float32Array): Float32Array;
  /** x = x̃ · scale + center, [E]. */
  denormalize(x: Float32Array): Float32Array;
}

/** For models that work on raw embeddings. */
export const identityNormalizer: Normalizer = {
  vectors: null,
  normalize: (x) => x,
  denormalize: (x) => x,
};

/**
 * Reads a normaliser: little-endian float32, center [E] and then scale [E].
 *
 * @throws IntegrityError when the size is another or a number is not finite or a scale is zero
 */
export function parseNormalizer(
  bytes: Uint8Array,
  embeddingDim: number,
  label: string,
): Normalizer {
  const sizeBytes = 2 * embeddingDim * Float32Array.BYTES_PER_ELEMENT;
  if (bytes.byteLength !== sizeBytes) {
    throw new IntegrityError(`${label}: expected ${sizeBytes} bytes, found ${bytes.byteLength}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = Float32Array.from({ length: 2 * embeddingDim }, (_, i) =>
    view.getFloat32(i * Float32Array.BYTES_PER_ELEMENT, true),
  );
  const center = values.slice(0, embeddingDim);
  const scales = values.slice(embeddingDim);
  if (!values.every(Number.isFinite) || scales.includes(0)) {
    throw new IntegrityError(`${label}: expected finite centers and scales other than zero`);
  }
  return {
    vectors: { center, scales },
    normalize: (x) => standardize(x, center, scales),
    denormalize: (x) => unstandardize(x, center, scales),
  };
}
