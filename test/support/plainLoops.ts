/*
 * The layers once more, in plain loops over rows of numbers: slow, obvious, and independent of
 * ONNX. Compiled layers are compared with them.
 */

export type Rows = readonly (readonly number[])[];

/** y = x Wᵀ + b for rows x and W of the checkpoint's layout. */
export function linear(x: Rows, weight: Rows, bias: readonly number[]): number[][] {
  return x.map((row) => weight.map((w, f) => dot(row, w) + (bias[f] ?? 0)));
}

export function layerNorm(x: Rows, weight: readonly number[], bias: readonly number[]): number[][] {
  return x.map((row) => {
    const mean = sum(row) / row.length;
    const variance = sum(row.map((v) => (v - mean) ** 2)) / row.length;
    return row.map(
      (v, d) => ((v - mean) / Math.sqrt(variance + 1e-5)) * at(weight, d) + at(bias, d),
    );
  });
}

export function rmsNorm(x: Rows, weight: readonly number[], eps = 1e-5): number[][] {
  return x.map((row) => {
    const meanSquare = sum(row.map((v) => v * v)) / row.length;
    return row.map((v, d) => (v / Math.sqrt(meanSquare + eps)) * at(weight, d));
  });
}

/** Softmax attention of every query over the keys that `sees` lets it see, head by head. */
export function attention(
  queries: Rows,
  keys: Rows,
  values: Rows,
  numHeads: number,
  sees: (query: number, key: number) => boolean,
): number[][] {
  return queries.map((query, s) => {
    const headDim = query.length / numHeads;
    const heads = Array.from({ length: numHeads }, (_, h) => {
      const part = (row: readonly number[]) => row.slice(h * headDim, (h + 1) * headDim);
      const exponentials = keys.map((key, t) =>
        sees(s, t) ? Math.exp(dot(part(query), part(key)) / Math.sqrt(headDim)) : 0,
      );
      const total = sum(exponentials);
      return Array.from({ length: headDim }, (_, k) =>
        sum(values.map((value, t) => (at(exponentials, t) / total) * at(part(value), k))),
      );
    });
    return heads.flat();
  });
}

/** Turns the pairs (x₂ᵢ, x₂ᵢ₊₁) of every head of row p by p θ^{−2i/K}. */
export function rotate(x: Rows, numHeads: number, theta: number, start = 0): number[][] {
  return x.map((row, index) => {
    const headDim = row.length / numHeads;
    return row.map((value, d) => {
      const pair = Math.floor((d % headDim) / 2);
      const angle = (start + index) * theta ** ((-2 * pair) / headDim);
      const other = at(row, d % 2 === 0 ? d + 1 : d - 1);
      const sign = d % 2 === 0 ? -1 : 1;
      return value * Math.cos(angle) + sign * other * Math.sin(angle);
    });
  });
}

/** Turns the pairs (x_i, x_{i + K/2}) of every head of row p by p w_i. */
export function rotateHalves(
  x: Rows,
  numHeads: number,
  frequencies: readonly number[],
  start = 0,
): number[][] {
  return x.map((row, index) => {
    const headDim = row.length / numHeads;
    const half = headDim / 2;
    return row.map((value, d) => {
      const isFirst = d % headDim < half;
      const angle = (start + index) * at(frequencies, d % half);
      const other = at(row, isFirst ? d + half : d - half);
      return value * Math.cos(angle) + (isFirst ? -1 : 1) * other * Math.sin(angle);
    });
  });
}

export function add(a: Rows, b: Rows): number[][] {
  return a.map((row, s) => row.map((v, d) => v + at(at(b, s), d)));
}

export function relu(x: Rows): number[][] {
  return x.map((row) => row.map((v) => Math.max(0, v)));
}

export function silu(x: Rows): number[][] {
  return x.map((row) => row.map((v) => v / (1 + Math.exp(-v))));
}

export function multiply(a: Rows, b: Rows): number[][] {
  return a.map((row, s) => row.map((v, d) => v * at(at(b, s), d)));
}

/** Cuts row-major numbers into rows. */
export function toRows(data: ArrayLike<number>, length: number): number[][] {
  return Array.from({ length: data.length / length }, (_, row) =>
    Array.from({ length }, (_, column) => data[row * length + column] ?? Number.NaN),
  );
}

function dot(a: readonly number[], b: readonly number[]): number {
  return sum(a.map((value, index) => value * at(b, index)));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function at<T>(values: readonly T[], index: number): T {
  const value = values[index];
  if (value === undefined) throw new RangeError(`index ${index} of ${values.length}`);
  return value;
}
