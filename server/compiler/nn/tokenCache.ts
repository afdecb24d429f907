import type { Value } from '../onnx/graph.ts';
import type { Ops } from '../onnx/ops.ts';
import type { KeyValues } from './cache.ts';

/*
 * The keys and values of every token that was decoded, of all hypotheses, in one pool: a token's
 * place in it never changes. A hypothesis is the list of its tokens' places, its ancestors, so
 * that hypotheses share what they have in common, and neither reordering nor growing a beam moves
 * what is there.
 *
 *   pool [L, 2, P, D]: P tokens; keys, then values; heads side by side
 */

/**
 * Takes the keys and values of each row's ancestors out of the pool.
 *
 * @param pool       [L, 2, P, D]
 * @param ancestors  places in the pool, oldest first, [N, T] int64
 * @returns for each layer keys and values, [N, T, D]
 */
export function ancestorKeyValues(
  op: Ops,
  pool: Value,
  ancestors: Value,
  { numLayers, modelDim }: { numLayers: number; modelDim: number },
): KeyValues[] {
  const tableCount = 2 * numLayers;
  const flat = op.Reshape(pool, [-1, modelDim]); // [2 L P, D]
  // In int32, in which GPUs can add.
  const places = op.Cast(ancestors, 'int32'); // [N, T]
  const poolSize = op.Cast(op.Shape(pool, { start: 2, end: 3 }), 'int32'); // [1]
  const tables = op.constant(
    'int32',
    Array.from({ length: tableCount }, (_, table) => table),
  );
  const starts = op.Split(op.Mul(tables, poolSize), tableCount, { axis: 0 }); // [1]
  const tokens = starts.map((start) => op.Gather(flat, op.Add(places, start), { axis: 0 })); // [N, T, D]
  return Array.from({ length: numLayers }, (_, layerIndex) => ({
    keys: tokens[2 * layerIndex] as Value,
    values: tokens[2 * layerIndex + 1] as Value,
  }));
}

/**
 * Puts new tokens at the end of the pool, row after row, and leaves its beginning out.
 *
 * @param pool      [L, 2, P, D]
 * @param keptFrom  place of the first token that is kept, [1] int64
 * @param layers    for each layer the new keys and values, [N, S, D]
 * @returns [L, 2, P − keptFrom + N·S, D]
 */
export function growPool(
  op: Ops,
  pool: Value,
  keptFrom: Value,
  layers: readonly KeyValues[],
  modelDim: number,
): Value {
  const parts = layers.flatMap(({ keys, values }) => [keys, values]);
  const stacked = op.Concat(parts, { axis: 0 }); // [2 L N, S, D]
  const added = op.Reshape(stacked, [layers.length, 2, -1, modelDim]);
  const kept = op.Slice(pool, keptFrom, op.Shape(pool, { start: 2, end: 3 }), { axis: 2 });
  return op.Concat([kept, added], { axis: 2 });
}
