import { type Matrix, numbersAtOnce } from './matrix.ts';

/** Unwanted rows that are read along rather than beginning another read: some tens of kilobytes. */
const maxGap = 8;

/**
 * Returns a matrix of some rows of another one; nothing is read yet.
 *
 *   W′[i] = W[rows[i]]
 *
 * Rows that lie near each other are read together, and never more of them than numbers that are
 * read at once anyway.
 *
 * @param rows  ascending
 */
export function selectRows(matrix: Matrix, rows: Int32Array): Matrix {
  const { rowSize, reader } = matrix;
  const rowsAtOnce = Math.max(1, Math.floor(numbersAtOnce / rowSize));

  const readRows = (firstRow: number, rowCount: number): Float32Array => {
    const wanted = rows.subarray(firstRow, firstRow + rowCount);
    const selected = new Float32Array(wanted.length * rowSize);
    for (let start = 0; start < wanted.length; ) {
      const end = endOfRun(wanted, start, rowsAtOnce);
      const first = wanted[start] ?? 0;
      const run = reader.readRows(first, (wanted[end - 1] ?? first) - first + 1);
      for (let i = start; i < end; i++) {
        const from = ((wanted[i] ?? first) - first) * rowSize;
        selected.set(run.subarray(from, from + rowSize), i * rowSize);
      }
      start = end;
    }
    return selected;
  };
  return {
    rowCount: rows.length,
    rowSize,
    reader: { name: reader.name, read: () => readRows(0, rows.length), readRows },
  };
}

/** Returns the index behind the wanted rows that are read together with the one at `start`. */
function endOfRun(wanted: Int32Array, start: number, rowsAtOnce: number): number {
  const first = wanted[start] ?? 0;
  let previous = first;
  for (let end = start + 1; end < wanted.length; end++) {
    const row = wanted[end] ?? 0;
    if (row - previous - 1 > maxGap || row - first >= rowsAtOnce) return end;
    previous = row;
  }
  return wanted.length;
}
