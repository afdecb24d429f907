import type { Value } from '../onnx/graph.ts';
import type { Ops } from '../onnx/ops.ts';

/** Keeps the divisor of an empty sentence from being zero; reference: SonarTextTransformerEncoderModel. */
const epsilon = 1e-7;

/**
 * Makes one vector of a sequence.
 *
 *   mean:  Σ_t m_t x_t / (Σ_t m_t + 1e−7)
 *   max:   max_t x_t over tokens, per dimension
 *   last:  x at the last token
 *
 * Source: Duquenne et al. 2023 (arXiv:2308.11466), section 4.1; reference: sonar Pooling.
 *
 * @param x              [N, S, D]
 * @param attentionMask  1 for tokens, 0 for the padding on their right, [N, S] int64
 * @returns [N, D]
 */
export function pool(
  op: Ops,
  pooling: 'mean' | 'max' | 'last',
  x: Value,
  attentionMask: Value,
): Value {
  switch (pooling) {
    case 'mean': {
      const weights = op.Cast(attentionMask, 'float32'); // [N, S]
      const sum = op.ReduceSum(op.Mul(x, op.Unsqueeze(weights, [2])), {
        axes: [1],
        keepdims: false,
      });
      const length = op.ReduceSum(weights, { axes: [1], keepdims: true }); // [N, 1]
      return op.Div(sum, op.Add(length, epsilon));
    }
    case 'max': {
      const isToken = op.Unsqueeze(op.Cast(attentionMask, 'bool'), [2]); // [N, S, 1]
      const tokens = op.Where(isToken, x, Number.NEGATIVE_INFINITY);
      return op.ReduceMax(tokens, { axes: [1], keepdims: false });
    }
    case 'last': {
      const length = op.ReduceSum(attentionMask, { axes: [1], keepdims: true }); // [N, 1]
      const places = op.Sub(length, 1); // [N, 1]
      return op.GatherND(x, places, { batchDims: 1 });
    }
  }
}
