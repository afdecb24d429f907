import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyGuidance } from '../../../../server/inference/lcm/guidance.ts';

const conditional = Float32Array.of(1, 2, 3, 4);
const unconditional = Float32Array.of(0.5, 1, 2.5, 3);

function check(guidanceScale: number, guidanceRescale: number, expected: readonly number[]): void {
  const guided = applyGuidance(conditional, unconditional, { guidanceScale, guidanceRescale });
  for (const [i, value] of guided.entries()) {
    const wanted = expected[i] as number;
    assert.ok(Math.abs(value - wanted) < 2e-6, `${wanted}, found ${value}`);
  }
}

test('a scale of 1 is the conditional prediction', () => {
  check(1, 0, [1, 2, 3, 4]);
  check(1, 0.7, [1, 2, 3, 4]);
});

test('a scale of 0 is the unconditional prediction', () => {
  check(0, 0, [0.5, 1, 2.5, 3]);
});

test('guidance and its rescaling are the reference’s', () => {
  check(3, 0, [2, 4, 4, 6]);
  check(3, 0.7, [1.706797, 3.413594, 3.413594, 5.120391]);
});
