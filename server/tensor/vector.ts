import { assert } from '../base/errors.ts';

/*
 * Every loop over elements. Vectors are float32, sums are accumulated in float64, nothing is
 * changed in place.
 */

/** Returns Σ x_i y_i. */
export function dot(x: Float32Array, y: Float32Array): number {
  assertSameLength(x, y);
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += (x[i] as number) * (y[i] as number);
  return sum;
}

/** Returns ‖x‖. */
export function norm(x: Float32Array): number {
  return Math.sqrt(dot(x, x));
}

/** Returns the cosine of the angle between x and y; 0 when one of them is zero. */
export function cosine(x: Float32Array, y: Float32Array): number {
  const product = norm(x) * norm(y);
  return product === 0 ? 0 : dot(x, y) / product;
}

/** Returns the unbiased standard deviation of the elements. */
export function standardDeviation(x: Float32Array): number {
  let sum = 0;
  for (const value of x) sum += value;
  const mean = sum / x.length;
  let squares = 0;
  for (const value of x) squares += (value - mean) ** 2;
  return Math.sqrt(squares / (x.length - 1));
}

/** Returns the q-quantile of the elements, 0 ≤ q ≤ 1, interpolated linearly. */
export function quantile(x: Float32Array, q: number): number {
  assert(x.length > 0, 'quantile of no elements');
  const sorted = x.toSorted();
  const position = q * (sorted.length - 1);
  const low = Math.floor(position);
  const below = sorted[low] as number;
  const above = sorted[Math.min(low + 1, sorted.length - 1)] as number;
  return below + (position - low) * (above - below);
}

/** Returns whether no element is infinite or NaN. */
export function isFiniteVector(x: Float32Array): boolean {
  return x.every(Number.isFinite);
}

/** Returns a x. */
export function scale(a: number, x: Float32Array): Float32Array {
  return x.map((value) => a * value);
}

/** Returns |x|, element by element. */
export function absolute(x: Float32Array): Float32Array {
  return x.map(Math.abs);
}

/** Returns x with every element brought into [min, max]. */
export function clamp(x: Float32Array, min: number, max: number): Float32Array {
  return x.map((value) => Math.min(Math.max(value, min), max));
}

/** Returns a x + b y, rounded to float32 once. */
export function combine(a: number, x: Float32Array, b: number, y: Float32Array): Float32Array {
  assertSameLength(x, y);
  return x.map((value, i) => a * value + b * (y[i] as number));
}

/** Returns (x − center) / scales, element by element. */
export function standardize(
  x: Float32Array,
  center: Float32Array,
  scales: Float32Array,
): Float32Array {
  assertSameLength(x, center);
  assertSameLength(x, scales);
  return x.map((value, i) => (value - (center[i] as number)) / (scales[i] as number));
}

/** Returns x · scales + center, element by element. */
export function unstandardize(
  x: Float32Array,
  center: Float32Array,
  scales: Float32Array,
): Float32Array {
  assertSameLength(x, center);
  assertSameLength(x, scales);
  return x.map((value, i) => value * (scales[i] as number) + (center[i] as number));
}

/** Returns the rows one after the other. */
export function concatenate(rows: readonly Float32Array[]): Float32Array {
  const joined = new Float32Array(rows.reduce((length, row) => length + row.length, 0));
  let offset = 0;
  for (const row of rows) {
    joined.set(row, offset);
    offset += row.length;
  }
  return joined;
}

/** Returns copies of the rows of a matrix of `width` columns. */
export function splitRows(matrix: Float32Array, width: number): Float32Array[] {
  assert(matrix.length % width === 0, `rows of ${width}: found ${matrix.length} elements`);
  return Array.from({ length: matrix.length / width }, (_, row) =>
    matrix.slice(row * width, (row + 1) * width),
  );
}

function assertSameLength(x: Float32Array, y: Float32Array): void {
  assert(x.length === y.length, `vectors: expected ${x.length} elements, found ${y.length}`);
}
