import assert from 'node:assert/strict';
import { test } from 'node:test';
import { selectRows } from '../../../../server/compiler/nn/selectRows.ts';

const rowSize = 3;

/** A matrix whose row r is [r, r + ¼, r + ½], and the reads of it as [first row, count]. */
function matrixOf(rowCount: number) {
  const reads: [number, number][] = [];
  const rows = (first: number, count: number) =>
    Float32Array.from(
      { length: count * rowSize },
      (_, i) => first + Math.floor(i / rowSize) + (i % rowSize) / 4,
    );
  const reader = {
    name: 'weight',
    read: () => rows(0, rowCount),
    readRows: (first: number, count: number) => {
      assert.ok(first >= 0 && count > 0 && first + count <= rowCount);
      reads.push([first, count]);
      return rows(first, count);
    },
  };
  return { matrix: { rowCount, rowSize, reader }, reads };
}

function checkSelected(rows: readonly number[], expectedReads: readonly [number, number][]): void {
  const { matrix, reads } = matrixOf(1000);
  const selected = selectRows(matrix, Int32Array.from(rows));
  assert.deepEqual([selected.rowCount, selected.rowSize], [rows.length, rowSize]);
  const expected = rows.flatMap((row) => [row, row + 0.25, row + 0.5]);
  assert.deepEqual([...selected.reader.read()], expected);
  assert.deepEqual(reads, expectedReads);
}

test('the rows of a selection are the rows that it names, read together where they are near', () => {
  checkSelected([], []);
  checkSelected([7], [[7, 1]]);
  checkSelected([0, 1, 2, 3], [[0, 4]]);
  checkSelected(
    [0, 2, 4, 13, 999],
    [
      [0, 14],
      [999, 1],
    ],
  );
  checkSelected(
    [5, 14, 24],
    [
      [5, 10],
      [24, 1],
    ],
  );
  checkSelected(
    Array.from({ length: 1000 }, (_, row) => row),
    [[0, 1000]],
  );
});

test('some rows of a selection at a time are the same as all at once', () => {
  const rows = Array.from({ length: 1000 }, (_, row) => row).filter((row) => (row * row) % 7 < 3);
  const { reader } = selectRows(matrixOf(1000).matrix, Int32Array.from(rows));
  const whole = reader.read();
  for (const step of [1, 2, 17, 400]) {
    const parts: number[] = [];
    for (let first = 0; first < rows.length; first += step) {
      parts.push(...reader.readRows(first, Math.min(step, rows.length - first)));
    }
    assert.deepEqual(parts, [...whole]);
  }
});

test('rows are never read together beyond what is read at once', () => {
  // 2²² numbers at once are 4 rows of this width.
  const width = 1 << 20;
  const counts: number[] = [];
  const reader = {
    name: 'wide',
    read: () => assert.fail('expected no whole matrix'),
    readRows: (first: number, count: number) => {
      counts.push(count);
      return new Float32Array(count * width).fill(first);
    },
  };
  const wide = selectRows({ rowCount: 9, rowSize: width, reader }, Int32Array.of(0, 2, 3, 4, 8));
  const selected = wide.reader.readRows(0, 5);
  assert.deepEqual(counts, [4, 1, 1]);
  assert.deepEqual(
    [0, 1, 2, 3, 4].map((row) => selected[row * width]),
    [0, 0, 0, 4, 8],
  );
});
