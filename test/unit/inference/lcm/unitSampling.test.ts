import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleUnit, type UnitSampling } from '../../../../server/inference/lcm/unitSampling.ts';
import { Random } from '../../../../server/tensor/random.ts';

const logits = Float32Array.of(0, 2, -1, 2.5, 1);

/** How often each unit is chosen in a thousand. */
function shares(sampling: UnitSampling): number[] {
  const random = new Random(1);
  const counts = new Array<number>(logits.length).fill(0);
  for (let i = 0; i < 1000; i++) {
    const unit = sampleUnit(logits, sampling, random);
    counts[unit] = (counts[unit] ?? 0) + 1;
  }
  return counts.map((count) => count / 1000);
}

function checkShares(sampling: UnitSampling, expected: readonly number[]): void {
  const found = shares(sampling);
  for (const [unit, share] of expected.entries()) {
    // Four deviations of a thousand draws, at most 0.063.
    const tolerance = 4 * Math.sqrt((share * (1 - share)) / 1000);
    assert.ok(Math.abs((found[unit] ?? NaN) - share) <= tolerance, `${unit}: ${found[unit]}`);
  }
}

function softmax(values: readonly number[]): number[] {
  const exponentials = values.map(Math.exp);
  const total = exponentials.reduce((a, b) => a + b, 0);
  return exponentials.map((value) => value / total);
}

test('units are chosen by the softmax', () => {
  checkShares({ temperature: 1, topK: 5 }, softmax([...logits]));
  checkShares({ temperature: 1, topK: 99 }, softmax([...logits]));
});

test('a temperature sharpens or flattens', () => {
  checkShares({ temperature: 0.5, topK: 5 }, softmax([...logits].map((logit) => 2 * logit)));
  checkShares({ temperature: 1e9, topK: 5 }, [0.2, 0.2, 0.2, 0.2, 0.2]);
  checkShares({ temperature: 1e-9, topK: 5 }, [0, 0, 0, 1, 0]);
});

test('only the best may be chosen', () => {
  checkShares({ temperature: 1, topK: 1 }, [0, 0, 0, 1, 0]);
  const [two = 0, best = 0] = softmax([2, 2.5]);
  checkShares({ temperature: 1, topK: 2 }, [0, two, 0, best, 0]);
});

test('of equals the first are the best', () => {
  const equal = Float32Array.of(1, 1, 1);
  assert.equal(sampleUnit(equal, { temperature: 1, topK: 1 }, new Random(1)), 0);
});

test('every choice takes one number of the generator', () => {
  const [a, b] = [new Random(3), new Random(3)];
  sampleUnit(logits, { temperature: 1, topK: 1 }, a);
  sampleUnit(logits, { temperature: 0.1, topK: 4 }, b);
  assert.equal(a.uniform(), b.uniform());
});
