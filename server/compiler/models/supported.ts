import { CheckpointUnsupportedError } from '../../base/errors.ts';

/**
 * Checks that a hyper-parameter has a value that we build.
 *
 * @param field  name of the field in the reference's configuration
 * @throws CheckpointUnsupportedError when `supported` lacks the value
 */
export function requireSupported<T, const S extends T>(
  field: string,
  value: T,
  supported: readonly S[],
): asserts value is S {
  if (supported.some((each) => each === value)) return;
  throw new CheckpointUnsupportedError(
    `${field}: expected ${supported.map(String).join(' or ')}, found ${value}`,
  );
}

/**
 * Checks that attention heads share the model dimension evenly.
 *
 * @throws CheckpointUnsupportedError when they do not
 */
export function requireHeads(field: string, numAttnHeads: number, modelDim: number): void {
  if (modelDim % numAttnHeads === 0) return;
  throw new CheckpointUnsupportedError(
    `${field}: expected a divisor of model_dim ${modelDim}, found ${numAttnHeads}`,
  );
}
