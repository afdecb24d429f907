import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  absolute,
  clamp,
  combine,
  concatenate,
  cosine,
  dot,
  isFiniteVector,
  norm,
  quantile,
  scale,
  splitRows,
  standardDeviation,
  standardize,
  unstandardize,
} from '../../../server/tensor/vector.ts';

const of = (...values: number[]) => Float32Array.of(...values);

test('products, lengths and angles are those of geometry', () => {
  assert.equal(dot(of(1, 2, 3), of(4, -5, 6)), 12);
  assert.equal(norm(of(3, 4)), 5);
  assert.equal(cosine(of(1, 0), of(0, 2)), 0);
  assert.equal(cosine(of(3, 0), of(2, 0)), 1);
  assert.equal(cosine(of(0, 0), of(1, 1)), 0);
});

test('deviation is unbiased and a quantile is interpolated', () => {
  assert.equal(standardDeviation(of(1, 3)), Math.SQRT2);
  assert.equal(quantile(of(4, 1, 3, 2), 0.5), 2.5);
  assert.equal(quantile(of(5), 0.9), 5);
  assert.equal(quantile(of(1, 2), 1), 2);
});

test('elementwise functions return new vectors', () => {
  const x = of(1, -2);
  assert.deepEqual(scale(2, x), of(2, -4));
  assert.deepEqual(absolute(x), of(1, 2));
  assert.deepEqual(clamp(of(-3, 0.5, 7), -1, 1), of(-1, 0.5, 1));
  assert.deepEqual(combine(2, x, -1, of(1, 1)), of(1, -5));
  assert.deepEqual(x, of(1, -2));
});

test('unstandardize undoes standardize', () => {
  const [center, scales] = [of(1, -1), of(2, 4)];
  const standardized = standardize(of(5, 7), center, scales);
  assert.deepEqual(standardized, of(2, 2));
  assert.deepEqual(unstandardize(standardized, center, scales), of(5, 7));
});

test('rows that were split and joined again are the matrix', () => {
  const matrix = of(1, 2, 3, 4, 5, 6);
  assert.deepEqual(splitRows(matrix, 2), [of(1, 2), of(3, 4), of(5, 6)]);
  assert.deepEqual(concatenate(splitRows(matrix, 3)), matrix);
});

test('only numbers are finite', () => {
  assert.ok(isFiniteVector(of(1, -2)));
  assert.ok(!isFiniteVector(of(1, Number.NaN)));
  assert.ok(!isFiniteVector(of(Number.POSITIVE_INFINITY)));
});

test('vectors of different lengths are a mistake of ours', () => {
  assert.throws(() => dot(of(1), of(1, 2)), { code: 'internal' });
  assert.throws(() => combine(1, of(1), 1, of(1, 2)), { code: 'internal' });
  assert.throws(() => splitRows(of(1, 2, 3), 2), { code: 'internal' });
});
