import type { Value } from '../onnx/graph.ts';
import type { Ops } from '../onnx/ops.ts';
import type { Scope } from '../onnx/scope.ts';
import type { KeyValues } from './cache.ts';
import { linear, type Rows, stackedLinear, toRows } from './linear.ts';

export interface AttentionConfig {
  /** D */
  modelDim: number;
  /** H */
  numAttnHeads: number;
  /** Whether `output_proj` has a bias; the other projections always have one. */
  hasOutputBias?: boolean;
}

/** What self-attention needs besides its input. */
export interface AttentionInputs {
  /** [N, S, H, K] as int64, see `headShape`. */
  headShape: Value;
  /** Added to the logits, 0 or −∞; broadcasts to [N, H, S, T]. */
  mask: Value;
  /** Keys and values of earlier positions; the new ones are appended. */
  past?: KeyValues;
  /** Encodes positions in queries and keys, [N, H, S, K] → [N, H, S, K]. */
  rotate?: (x: Value) => Value;
}

/**
 * Multi-head self-attention.
 *
 *   Attention(Q, K, V) = softmax(Q Kᵀ / √K + M) V,  one per head, concatenated and projected
 *
 * Source: Vaswani et al. 2017 (arXiv:1706.03762), section 3.2.
 *
 * @param x  [N·S, D]
 * @returns the output, [N·S, D], and all keys and values, [N, H, T, K]
 */
export function selfAttention(
  scope: Scope,
  config: AttentionConfig,
  x: Value,
  { headShape, mask, past, rotate = (value) => value }: AttentionInputs,
): KeyValues & { output: Value } {
  const { op } = scope;
  const rows = toRows(scope, x);
  const heads = (name: string) => splitHeads(op, project(scope.at(name), config, rows), headShape);

  const q = rotate(heads('q_proj')); // [N, H, S, K]
  const newKeys = rotate(heads('k_proj')); // [N, H, S, K]
  const newValues = heads('v_proj'); // [N, H, S, K]
  const keys = past ? op.Concat([past.keys, newKeys], { axis: 2 }) : newKeys; // [N, H, T, K]
  const values = past ? op.Concat([past.values, newValues], { axis: 2 }) : newValues; // [N, H, T, K]

  const attended = attend(op, config, q, { keys, values }, mask); // [N·S, D]
  return { output: projectOutput(scope, config, attended), keys, values };
}

/**
 * Multi-head self-attention over the tokens so far, `selfAttention` in few operators.
 *
 * @param x        [N·S, D]
 * @param shape    [N, S, 3 D] as int64
 * @param mask     added to the logits, broadcasts to [N, H, S, T]
 * @param earlier  keys and values of the tokens before, [N, T − S, D]; null when there are none
 * @returns the output, [N·S, D], and the new keys and values, [N, S, D]
 */
export function fusedSelfAttention(
  scope: Scope,
  config: AttentionConfig,
  x: Value,
  { shape, mask, earlier }: { shape: Value; mask: Value; earlier: KeyValues | null },
): KeyValues & { output: Value } {
  const { op } = scope;
  const { modelDim, numAttnHeads: numHeads } = config;
  const projection = { inputDim: modelDim, outputDim: modelDim };
  const projected = stackedLinear(scope, ['q_proj', 'k_proj', 'v_proj'], projection, x);
  const [q, keys, values] = op.Split(op.Reshape(projected, shape), 3, { axis: 2 }) as [
    Value,
    Value,
    Value,
  ]; // [N, S, D]
  const after = (before: Value | undefined, added: Value) =>
    before ? op.Concat([before, added], { axis: 1 }) : added; // [N, T, D]
  const attended = op.MultiHeadAttention(
    q,
    after(earlier?.keys, keys),
    after(earlier?.values, values),
    mask,
    { numHeads },
  ); // [N, S, D]
  const rows = op.Reshape(attended, [-1, modelDim]);
  return { output: projectOutput(scope, config, rows), keys, values };
}

/**
 * Attention over a single position. The softmax of one logit is 1 whatever the query is, so that
 * queries and keys do not matter:
 *
 *   Attention(q, e) = W_o (W_v e + b_v) + b_o
 *
 * @param e         [S, E]
 * @param inputDim  E
 * @returns [S, D]
 */
export function singlePositionAttention(
  scope: Scope,
  config: AttentionConfig & { inputDim: number },
  e: Value,
): Value {
  const { inputDim, modelDim } = config;
  const value = linear(scope.at('v_proj'), { inputDim, outputDim: modelDim }, e); // [S, D]
  return projectOutput(scope, config, value);
}

/**
 * The heads of softmax(Q Kᵀ / √K + M) V, concatenated.
 *
 * @param q     [N, H, S, K]
 * @param mask  broadcasts to [N, H, S, T]; null when every query sees every key
 * @returns [N·S, D]
 */
export function attend(
  op: Ops,
  { modelDim, numAttnHeads }: AttentionConfig,
  q: Value,
  { keys, values }: KeyValues,
  mask: Value | null,
): Value {
  const headDim = modelDim / numAttnHeads;
  const transposed = op.Transpose(keys, { perm: [0, 1, 3, 2] }); // [N, H, K, T]
  const logits = op.Div(op.MatMul(q, transposed), Math.sqrt(headDim)); // [N, H, S, T]
  const weights = op.Softmax(mask ? op.Add(logits, mask) : logits); // [N, H, S, T]
  const heads = op.Transpose(op.MatMul(weights, values), { perm: [0, 2, 1, 3] }); // [N, S, H, K]
  return op.Reshape(heads, [-1, modelDim]);
}

/** One of the projections q, k and v: [S, D] → [S, D]. */
export function project(scope: Scope, { modelDim }: AttentionConfig, x: Rows): Value {
  return linear(scope, { inputDim: modelDim, outputDim: modelDim }, x);
}

/** The projection of the concatenated heads: [S, D] → [S, D]. */
export function projectOutput(
  scope: Scope,
  { modelDim, hasOutputBias = true }: AttentionConfig,
  heads: Value,
): Value {
  const config = { inputDim: modelDim, outputDim: modelDim, hasBias: hasOutputBias };
  return linear(scope.at('output_proj'), config, heads);
}

/** Gives every head its part: [N·S, D] → [N, H, S, K]. */
export function splitHeads(op: Ops, x: Value, shape: Value): Value {
  return op.Transpose(op.Reshape(x, shape), { perm: [0, 2, 1, 3] });
}

/**
 * Returns the shape [N, S, H, K] that `splitHeads` needs.
 *
 * @param sequenceShape  [N, S] as int64
 */
export function headShape(
  op: Ops,
  { modelDim, numAttnHeads }: AttentionConfig,
  sequenceShape: Value,
): Value {
  const heads = op.constant('int64', [numAttnHeads, modelDim / numAttnHeads]);
  return op.Concat([sequenceShape, heads], { axis: 0 });
}
