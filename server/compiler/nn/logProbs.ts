import type { Value } from '../onnx/graph.ts';
import type { Ops } from '../onnx/ops.ts';

/**
 * What makes log-probabilities of logits when it is added to them. So the many logits of a
 * vocabulary stay as they are, and only those that are asked for are changed; WebGPU lacks
 * LogSoftmax besides, and would bring them to the processor for it.
 *
 *   log p_v = x_v + n,  n = log max softmax(x) − max x
 *
 * The largest of V probabilities is at least 1 / V, so that its logarithm loses nothing.
 *
 * @param x  [N, V]
 * @returns n, [N, 1]
 */
export function logNormalizer(op: Ops, x: Value): Value {
  const largest = (values: Value) => op.ReduceMax(values, { axes: [1], keepdims: true });
  return op.Sub(op.Log(largest(op.Softmax(x))), largest(x));
}
