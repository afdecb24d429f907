import { SessionError } from '../../base/errors.ts';
import { isFiniteVector } from '../../tensor/vector.ts';
import type { SamplingOptions } from '../inference.ts';

/** A model of the next concept: one file per family implements it. */
export interface ConceptModel {
  /**
   * Samples candidates for the concept that follows `context`, in raw space. Candidate i depends
   * on the seed and on i, not on the number of candidates. Of a context that is longer than the
   * model's, the last concepts are used.
   *
   * @param context  raw embeddings in order, at least one, [E] each
   * @param signal   checked between steps
   * @returns `options.count` embeddings, [E] each
   * @throws InvalidRequestError when an option is out of its range
   * @throws SessionError when a graph fails or its result is not finite
   */
  predict(
    context: readonly Float32Array[],
    options: SamplingOptions,
    signal?: AbortSignal,
  ): Promise<Float32Array[]>;
  dispose(): Promise<void>;
}

/**
 * Returns the prediction.
 *
 * @throws SessionError when a number of it is infinite or NaN, which broken weights cause
 */
export function checkPrediction(name: string, prediction: Float32Array): Float32Array {
  if (isFiniteVector(prediction)) return prediction;
  throw new SessionError(`concept model ${name}: expected finite numbers, found others`);
}
