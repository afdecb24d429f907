import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  besides,
  between,
  centreOf,
  ofLength,
  typicalNorm,
} from '../../../../server/features/rewriting/blends.ts';
import { Random } from '../../../../server/tensor/random.ts';
import { cosine, norm, scale } from '../../../../server/tensor/vector.ts';
import { angleOf, atAngle } from '../../../support/angles.ts';

/** atol 1e-6: float32. */
function checkClose(found: number, expected: number): void {
  assert.ok(Math.abs(found - expected) < 1e-6 * Math.max(1, expected), `${expected}, ${found}`);
}

test('a concept beside another is as long, and at the cosine that is asked for', () => {
  const x = new Random(5).gaussians(40);
  for (const cos of [1, 0.95, 0.5, 0, -1]) {
    const found = besides(x, cos, new Random(1, 2));
    checkClose(cosine(found, x), cos);
    checkClose(norm(found), norm(x));
  }
  assert.deepEqual(besides(x, 0.9, new Random(1, 2)), besides(x, 0.9, new Random(1, 2)));
  assert.notDeepEqual(besides(x, 0.9, new Random(1, 2)), besides(x, 0.9, new Random(1, 3)));
});

test('a centre is that of directions, and as long as it should be', () => {
  const centre = centreOf([scale(9, atAngle(0)), atAngle(90)], [1, 1], 3);
  assert.equal(angleOf(centre), 45);
  checkClose(norm(centre), 3);
  assert.equal(angleOf(centreOf([atAngle(10), atAngle(80)], [0, 2], 1)), 80);
});

test('what is between two concepts begins at one and ends at the other', () => {
  const angles = [0, 0.5, 1].map((t) => angleOf(between(atAngle(20), atAngle(60), t, 7)));
  assert.deepEqual(angles, [20, 40, 60]);
});

test('lengths are means, and zero stays zero', () => {
  assert.equal(typicalNorm([Float32Array.of(3, 4), Float32Array.of(0, 1)]), 3);
  assert.equal(typicalNorm([]), 0);
  assert.deepEqual(ofLength(new Float32Array(2), 5), new Float32Array(2));
});
