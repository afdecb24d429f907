import type { Value } from '../onnx/graph.ts';
import type { Ops } from '../onnx/ops.ts';

/**
 * Sigmoid linear unit.
 *
 *   SiLU(x) = x σ(x)
 *
 * Source: Elfwing et al. 2017 (arXiv:1702.03118), equation 2.
 */
export function silu(op: Ops, x: Value): Value {
  return op.Mul(x, op.Sigmoid(x));
}
