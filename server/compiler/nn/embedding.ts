import { blockSize, blocksPerRow } from '../onnx/blockQuantize.ts';
import type { Value } from '../onnx/graph.ts';
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
      const { values, scales } = isTied ? byteColumns(scope, matrix) : byteRows(scope, matrix);
      const scale = op.Unsqueeze(op.Gather(scales, ids, { axis: 0 }), [2]); // [N, S, 1]
      const bytes = isTied
        ? op.Transpose(op.Gather(values, ids, { axis: 1 }), { perm: [1, 2, 0] })
        : op.Gather(values, ids, { axis: 0 }); // [N, S, D]
      return op.Mul(op.Cast(bytes, 'float32'), scale);
    }
    case 'int4': {
      const { values, scales } = blocks(scope, matrix);
      const rows = op.GatherBlockQuantized(values, ids, op.Unsqueeze(scales, [2]), { blockSize });
      const flat = op.Reshape(rows, [0, 0, blocksPerRow(matrix.rowSize) * blockSize]);
      if (matrix.rowSize % blockSize === 0) return flat;
      const end = op.constant('int64', [matrix.rowSize]);
      return op.Slice(flat, op.constant('int64', [0]), end, { axis: 2 }); // [N, S, D]
    }
  }
}
