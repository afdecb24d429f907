import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sigmoid } from '../../../server/features/confidence.ts';
import { Random } from '../../../server/tensor/random.ts';
import { calibrationError, type Example, fitLogistic } from '../../evaluate/logistic.ts';

/** Examples of which the probability is known. */
function drawn(count: number): (Example & { p: number })[] {
  const random = new Random(3);
  return Array.from({ length: count }, () => {
    const [x = 0, y = 0] = random.gaussians(2);
    const p = sigmoid(-1 + 2 * x - 0.5 * (10 + 4 * y));
    return { values: [x, 10 + 4 * y], p, isSo: random.uniform() < p };
  });
}

test('the probabilities that examples were drawn with are found again', () => {
  const { bias, weights } = fitLogistic(drawn(20_000));
  const found = [bias, ...weights];
  for (const [i, expected] of [-1, 2, -0.5].entries()) {
    assert.ok(Math.abs((found[i] ?? 0) - expected) < 0.15, `expected ${expected}, found ${found}`);
  }
});

test('a value that tells nothing gets no weight, and the bias is the share', () => {
  const examples = [true, false, false, false].flatMap((isSo) =>
    [1, 2, 3, 4].map((x) => ({ values: [x, 7], isSo })),
  );
  const { bias, weights } = fitLogistic(examples);
  assert.ok(weights.every((weight) => Math.abs(weight) < 1e-9));
  assert.ok(Math.abs(sigmoid(bias) - 0.25) < 1e-9);
});

test('true probabilities are calibrated, and others are off by as much as they are', () => {
  const examples = drawn(20_000);
  assert.ok(calibrationError(examples) < 0.02);
  const sure = Array.from({ length: 40 }, (_, i) => ({ p: 0.75, isSo: i % 4 === 0 }));
  assert.ok(Math.abs(calibrationError(sure) - 0.5) < 1e-9);
});
