import { WeightMismatchError } from '../base/errors.ts';
import { concatenate, norm, scale } from '../tensor/vector.ts';
import { CheckpointWeights } from './onnx/checkpointWeights.ts';
import type { WeightSource } from './onnx/weights.ts';

/** Directions of the concept space by name. */
export interface Directions {
  names: readonly string[];
  /** Each of length 1, one after the other, [names, E]. */
  vectors: Float32Array;
}

/**
 * Reads the directions that a model can be bent in: a checkpoint whose keys are their names.
 *
 * @param names  those that the configuration tells, in its order
 * @throws WeightMismatchError when one is missing, of another length, zero or not finite, when
 *   there are others, or when the configuration tells none
 */
export function readDirections(
  source: WeightSource,
  names: readonly string[],
  embeddingDim: number,
): Directions {
  if (names.length === 0) {
    throw new WeightMismatchError(
      `${source.label}: expected a configuration with the names of directions, found none`,
    );
  }
  const weights = new CheckpointWeights(source);
  const readers = names.map((name) => weights.use(name, [embeddingDim]));
  weights.assertAllUsed([]);
  const rows = readers.map((reader) => {
    const row = reader.read();
    const length = norm(row);
    if (length > 0) return scale(1 / length, row);
    throw new WeightMismatchError(`${reader.name}: expected a direction, found zeros`);
  });
  return { names, vectors: concatenate(rows) };
}
