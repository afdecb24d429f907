import type { Value } from '../onnx/graph.ts';
import type { Ops } from '../onnx/ops.ts';

/*
 * The keys and values of all layers travel between runs as one tensor, [L, 2, N, H, T, K]:
 * every tensor that crosses into or out of a session has a price of its own.
 */

/** What one attention layer attends to; both are [N, H, T, K]. */
export interface KeyValues {
  keys: Value;
  values: Value;
}

/**
 * Takes the keys and values of one layer out of the stack.
 *
 * @param past        [L, 2, N, H, T, K]
 * @param layerIndex  which of the L
 * @param rows        the rows of the past that the new rows continue, [N] int64; null means each
 *                    its own
 */
export function layerKeyValues(
  op: Ops,
  past: Value,
  layerIndex: number,
  rows: Value | null = null,
): KeyValues {
  const part = (index: number) => {
    const place = op.constant('int64', [layerIndex, index]); // [2]
    return op.GatherND(past, rows ? rowPlaces(op, place, rows) : place);
  };
  return { keys: part(0), values: part(1) };
}

/** Joins a place in [L, 2] with each row: [2] and [N] → [N, 3]. */
function rowPlaces(op: Ops, place: Value, rows: Value): Value {
  const column = op.Unsqueeze(rows, [1]); // [N, 1]
  const places = op.Expand(
    place,
    op.Concat([op.Shape(rows, { start: 0, end: 1 }), op.constant('int64', [2])], { axis: 0 }),
  ); // [N, 2]
  return op.Concat([places, column], { axis: 1 });
}

/**
 * Stacks the keys and values of all layers.
 *
 * @returns [L, 2, N, H, T, K]
 */
export function stackKeyValues(op: Ops, layers: readonly KeyValues[]): Value {
  const parts = layers.flatMap(({ keys, values }) => [keys, values]);
  const stacked = op.Concat(
    parts.map((part) => op.Unsqueeze(part, [0, 1])),
    { axis: 0 },
  ); // [2 L, 1, N, H, T, K]
  return op.Reshape(stacked, [layers.length, 2, 0, 0, 0, 0]);
}
