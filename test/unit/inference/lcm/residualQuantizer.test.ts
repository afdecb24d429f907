import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ResidualQuantizer } from '../../../../server/inference/lcm/residualQuantizer.ts';
import { combine, dot } from '../../../../server/tensor/vector.ts';
import { closedFormVector } from '../../../support/closedForm.ts';
import { assertClose } from '../../../support/graphSession.ts';

/** Codebooks on ever finer scales, so that each explains what the ones before have left. */
const codebooks = [1, 0.5, 0.25, 0.125].map((factor, codebook) =>
  closedFormVector(`codebook ${codebook}`, 32 * 4, factor),
);
const quantizer = new ResidualQuantizer(codebooks, 4);

const concepts = Array.from({ length: 20 }, (_, i) => closedFormVector(`concept ${i}`, 4));

function squaredDistance(a: Float32Array, b: Float32Array): number {
  const difference = combine(1, a, -1, b);
  return dot(difference, difference);
}

test('each unit is the nearest to what is left', () => {
  for (const concept of concepts) {
    let residual = concept;
    for (const [codebook, unit] of quantizer.encode(concept).entries()) {
      const distances = Array.from({ length: 32 }, (_, other) =>
        squaredDistance(residual, quantizer.centroid(codebook, other)),
      );
      assert.equal(distances.indexOf(Math.min(...distances)), unit);
      residual = combine(1, residual, -1, quantizer.centroid(codebook, unit));
    }
  }
});

test('more codebooks reconstruct better', () => {
  const errors = [1, 2, 3, 4].map((count) =>
    concepts.reduce((sum, concept) => {
      const units = quantizer.encode(concept).slice(0, count);
      return sum + squaredDistance(concept, quantizer.decode(units));
    }, 0),
  );
  assert.deepEqual(
    errors,
    errors.toSorted((a, b) => b - a),
  );
  assert.ok((errors[3] ?? 1) < 0.2 * (errors[0] ?? 0), errors.join());
});

test('a sum of well separated centroids is taken apart into them', () => {
  const digits = [100, 10, 1].map((factor) =>
    Float32Array.from({ length: 10 }, (_, i) => i * factor),
  );
  const decimal = new ResidualQuantizer(digits, 1);
  assert.deepEqual(decimal.encode(Float32Array.of(402)), [4, 0, 2]);
  assert.deepEqual(decimal.decode([4, 0, 2]), Float32Array.of(402));
  assert.deepEqual(decimal.decode([]), Float32Array.of(0));
});

test('nearness is the negative squared distance, up to what all units share', () => {
  const [residual = new Float32Array(4)] = concepts;
  const nearness = quantizer.nearness(2, residual);
  const expected = Array.from(
    nearness,
    (_, unit) => dot(residual, residual) - squaredDistance(quantizer.centroid(2, unit), residual),
  );
  assertClose(nearness, expected, 1e-6);
});

test('a codebook beyond the last is our mistake', () => {
  assert.throws(() => quantizer.centroid(4, 0), { code: 'internal' });
});
