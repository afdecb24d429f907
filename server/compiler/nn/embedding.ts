import { blockSize, blocksPerRow } from '../onnx/blockQuantize.ts';
import type { Value } from '../onnx/graph.ts';
import type { Ops } from '../onnx/ops.ts';
import type { Scope } from '../onnx/scope.ts';
import { blocks, byteColumns, byteRows, type Matrix, numbers } from './matrix.ts';

/**
 * Looks tokens up.
 *
 * @param matrix  E, [V, D]
 * @param isTied  whether `multiply` projects to the vocabulary with the same matrix: then both
 *                use one copy of it
 * @param ids     [N, S] int64
 * @returns E[ids], [N, S, D] float32
 */
export function embed(
  scope: Scope,
  matrix: Matrix,
  { isTied }: { isTied: boolean },
  ids: Value,
): Value {
  const { op } = scope;
  switch (scope.precision) {
    case 'fp32':
      return op.Gather(numbers(scope, matrix, 'float32'), ids, { axis: 0 });
    case 'fp16':
      return op.Cast(op.Gather(numbers(scope, matrix, 'float16'), ids, { axis: 0 }), 'float32');
    case 'int8': {
      if (!isTied) return embedBytes(scope, matrix, ids);
      const { values, scales } = byteColumns(scope, matrix);
      const columns = op.Gather(values, ids, { axis: 1 }); // [D, N, S]
      return dequantize(op, op.Transpose(columns, { perm: [1, 2, 0] }), scales, ids);
    }
    case 'int4': {
      if (!isTied) return embedBytes(scope, matrix, ids);
      const { values, scales } = blocks(scope, matrix, 4);
      const rows = op.GatherBlockQuantized(values, ids, op.Unsqueeze(scales, [2]), { blockSize });
      const flat = op.Reshape(rows, [0, 0, blocksPerRow(matrix.rowSize) * blockSize]);
      if (matrix.rowSize % blockSize === 0) return flat;
      const end = op.constant('int64', [matrix.rowSize]);
      return op.Slice(flat, op.constant('int64', [0]), end, { axis: 2 }); // [N, S, D]
    }
  }
}

/** E[ids] from rows of signed bytes: where nothing is multiplied with E, four bits save no time. */
function embedBytes(scope: Scope, matrix: Matrix, ids: Value): Value {
  const { op } = scope;
  const { values, scales } = byteRows(scope, matrix);
  return dequantize(op, op.Gather(values, ids, { axis: 0 }), scales, ids);
}

/**
 * Turns bytes into numbers.
 *
 * @param bytes   [N, S, D] int8
 * @param scales  one per token of the vocabulary, [V]
 * @param ids     [N, S] int64
 */
function dequantize(op: Ops, bytes: Value, scales: Value, ids: Value): Value {
  const scale = op.Unsqueeze(op.Gather(scales, ids, { axis: 0 }), [2]); // [N, S, 1]
  return op.Mul(op.Cast(bytes, 'float32'), scale);
}
