import type { Value } from '../onnx/graph.ts';
import type { Ops } from '../onnx/ops.ts';
import type { Scope } from '../onnx/scope.ts';
import type { KeyValues } from './cache.ts';
import { linear, type Rows, stackedLinear, toRows } from './linear.ts';

/**
 * Where the precision is int4, the projections of attention keep eight bits: there rounding does
 * most harm, and in SONAR they are a fifth of a layer. The built-in model's embeddings have a mean
 * cosine of 0.980 to those of fp32 with four bits everywhere, and of 0.997 with this; zero points,
 * fitted scales and blocks of 16 together reach 0.986.
 */
const blockBits = 8;

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
  /**
   * Added to the logits, 0 or −∞; broadcasts to [N, H, S, T], and to [N, H, S, S] when all rows
   * share one past.
   */
  mask: Value;
  /** Keys and values of earlier positions; the new ones are appended. */
  past?: KeyValues;
  /**
   * Says that all rows share the past of one, [1, H, T, K]: what is added to its logits, 0 or −∞,
   * [N, 1, 1, 1]. The past goes on with the first row.
   */
  pastMask?: Value;
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
  { headShape, mask, past, pastMask, rotate = (value) => value }: AttentionInputs,
): KeyValues & { output: Value } {
  const { op } = scope;
  const rows = toRows(scope, x);
  const heads = (name: string) => splitHeads(op, project(scope.at(name), config, rows), headShape);

  const q = rotate(heads('q_proj')); // [N, H, S, K]
  const newKeys = rotate(heads('k_proj')); // [N, H, S, K]
  const newValues = heads('v_proj'); // [N, H, S, K]
  if (past && pastMask) {
    const own = { keys: newKeys, values: newValues };
    const attended = attendToShared(op, config, q, { past, pastMask, own, mask }); // [N·S, D]
    return { output: projectOutput(scope, config, attended), ...goOnWithFirstRow(op, past, own) };
  }
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
  const projection = { inputDim: modelDim, outputDim: modelDim, blockBits } as const;
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
  const value = linear(scope.at('v_proj'), { inputDim, outputDim: modelDim, blockBits }, e); // [S, D]
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

/**
 * `attend` with keys of two kinds: a past that all rows share, and those of the row itself. The
 * past is never copied for each row.
 *
 *   softmax([Q K_pastᵀ / √K + M_past, Q K_ownᵀ / √K + M]) [V_past; V_own]
 *
 * @param q  [N, H, S, K]
 * @returns [N·S, D]
 */
function attendToShared(
  op: Ops,
  { modelDim, numAttnHeads }: AttentionConfig,
  q: Value,
  { past, pastMask, own, mask }: { past: KeyValues; pastMask: Value; own: KeyValues; mask: Value },
): Value {
  const scaled = op.Div(q, Math.sqrt(modelDim / numAttnHeads));
  const logitsOf = ({ keys }: KeyValues) =>
    op.MatMul(scaled, op.Transpose(keys, { perm: [0, 1, 3, 2] }));
  const pastLogits = op.Add(logitsOf(past), pastMask); // [N, H, S, T]
  const ownLogits = op.Add(logitsOf(own), mask); // [N, H, S, S]
  const weights = op.Softmax(op.Concat([pastLogits, ownLogits], { axis: 3 })); // [N, H, S, T + S]

  const size = (x: Value, axis: number) => op.Shape(x, { start: axis, end: axis + 1 }); // [1]
  const pastLength = size(past.keys, 2);
  const length = op.Add(pastLength, size(own.keys, 2));
  const none = op.constant('int64', [0]);
  const ofPast = op.MatMul(op.Slice(weights, none, pastLength, { axis: 3 }), past.values);
  const ofOwn = op.MatMul(op.Slice(weights, pastLength, length, { axis: 3 }), own.values);
  const heads = op.Transpose(op.Add(ofPast, ofOwn), { perm: [0, 2, 1, 3] }); // [N, S, H, K]
  return op.Reshape(heads, [-1, modelDim]);
}

/** Appends the keys and values of the first row to the past that all share, [1, H, T + S, K]. */
function goOnWithFirstRow(op: Ops, past: KeyValues, own: KeyValues): KeyValues {
  const bounds = [op.constant('int64', [0]), op.constant('int64', [1])] as const;
  const first = (x: Value) => op.Slice(x, ...bounds, { axis: 0 }); // [1, H, S, K]
  return {
    keys: op.Concat([past.keys, first(own.keys)], { axis: 2 }),
    values: op.Concat([past.values, first(own.values)], { axis: 2 }),
  };
}

/** One of the projections q, k and v: [S, D] → [S, D]. */
export function project(scope: Scope, { modelDim }: AttentionConfig, x: Rows): Value {
  return linear(scope, { inputDim: modelDim, outputDim: modelDim, blockBits }, x);
}

/** The projection of the concatenated heads: [S, D] → [S, D]. */
export function projectOutput(
  scope: Scope,
  { modelDim, hasOutputBias = true }: AttentionConfig,
  heads: Value,
): Value {
  const dims = { inputDim: modelDim, outputDim: modelDim };
  const config = { ...dims, hasBias: hasOutputBias, blockBits } as const;
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
