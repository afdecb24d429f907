import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../../server/tensor/random.ts';
import {
  contrastiveAccuracy,
  pairCosines,
  retrievalError,
  Standard,
  separation,
  uniformity,
} from '../../evaluate/geometry.ts';

const random = new Random(1);
const vectors = Array.from({ length: 40 }, () => random.gaussians(6));
const position = vectors.map((_, i) => i);

function checkClose(found: number, expected: number, tolerance = 1e-6): void {
  assert.ok(Math.abs(found - expected) <= tolerance, `expected ${expected}, found ${found}`);
}

test('the truth is nearer than every other concept, and the centre is as near to one as to another', () => {
  assert.equal(contrastiveAccuracy(vectors, vectors, position), 1);
  const center = vectors.map(() => new Standard(vectors).center);
  checkClose(contrastiveAccuracy(center, vectors, position), 0.5, 0.05);
});

test('neighbours of the truth do not count against it', () => {
  const [a, b, c] = [Float32Array.of(0), Float32Array.of(1), Float32Array.of(5)];
  assert.equal(contrastiveAccuracy([b, b, c], [a, b, c], [0, 1, 2]), 1);
  assert.equal(contrastiveAccuracy([b, b, c], [a, b, c], [0, 10, 20]), 5 / 6);
});

test('a standardised concept comes back, and their sum is zero', () => {
  const standard = new Standard(vectors);
  for (const x of vectors) {
    const back = standard.undo(standard.apply(x));
    for (const [i, value] of back.entries()) checkClose(value, x[i] ?? Number.NaN, 1e-5);
  }
  const applied = vectors.map((x) => standard.apply(x)[0] ?? Number.NaN);
  checkClose(
    applied.reduce((sum, x) => sum + x, 0),
    0,
    1e-4,
  );
});

test('retrieval finds each vector among its like, and errs for all when they are shifted by one', () => {
  assert.equal(retrievalError(vectors, vectors), 0);
  assert.equal(retrievalError(vectors, [...vectors.slice(1), ...vectors.slice(0, 1)]), 1);
});

test('separation is the area under the curve, ties counting half', () => {
  assert.equal(separation([2, 3], [0, 1]), 1);
  assert.equal(separation([0, 1], [2, 3]), 0);
  assert.equal(separation([1], [1]), 0.5);
});

test('uniformity of opposite vectors is −8, and of equal ones 0', () => {
  const x = Float32Array.of(1, 0);
  checkClose(uniformity(pairCosines([x, Float32Array.of(-1, 0)])), -8);
  checkClose(uniformity(pairCosines([x, x])), 0);
});
