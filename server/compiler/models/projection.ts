import type { ProjectionConfig } from '../../model/config.ts';
import { linear } from '../nn/linear.ts';
import type { Value } from '../onnx/graph.ts';
import type { Scope } from '../onnx/scope.ts';
import { requireSupported } from './supported.ts';

/**
 * A projection between concepts and model dimension.
 *
 * reference: lcm.nn.projection.Projection
 *
 * @param field  name of the configuration in the reference's model, such as `postnet`
 * @param x      [S, inputDim]
 * @returns [S, outputDim]
 * @throws CheckpointUnsupportedError when the configuration asks for what we do not build
 */
export function projection(
  scope: Scope,
  field: string,
  config: ProjectionConfig,
  { inputDim, outputDim }: { inputDim: number; outputDim: number },
  x: Value,
): Value {
  requireSupported(`${field}.weight_normalization`, config.weightNormalization, [false]);
  requireSupported(`${field}.activation_name`, config.activationName, [null]);
  return linear(scope.at('fc'), { inputDim, outputDim, hasBias: config.linearBias }, x);
}
