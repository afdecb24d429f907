import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Budget, patienceMs, slowMs } from '../../../server/writing/budget.ts';

const wanted = { steps: 10, candidates: 3, beamSize: 3 };

function noted(...durations: number[]): Budget {
  const budget = new Budget();
  budget.afford(wanted);
  for (const durationMs of durations) budget.note(durationMs);
  return budget;
}

test('a machine that keeps up spends all that is wanted, and says nothing', () => {
  const budget = noted(70, 80, 90, 75);
  assert.deepEqual(budget.afford(wanted), wanted);
  assert.equal(budget.reduced, null);
});

test('one slow answer is no slow machine', () => {
  const budget = noted(slowMs + 1, 70, slowMs + 1, slowMs + 1, 70);
  assert.deepEqual(budget.afford(wanted), wanted);
});

test('slow answers in a row save steps, candidates and beams, and say so', () => {
  const budget = noted(2000, 2000, 2000);
  assert.deepEqual(budget.afford(wanted), { steps: 6, candidates: 2, beamSize: 2 });
  assert.deepEqual(budget.reduced, { steps: 6, candidates: 2 });
  for (let run = 0; run < 9; run++) budget.note(2000);
  assert.deepEqual(budget.afford(wanted), { steps: 4, candidates: 1, beamSize: 1 });
});

test('effort comes back when the machine keeps up again, and for another model', () => {
  const slow = [2000, 2000, 2000];
  const budget = noted(...slow, 100, 100, 100);
  assert.deepEqual(budget.afford(wanted), wanted);
  const other = noted(...slow);
  other.reset();
  assert.deepEqual(other.afford(wanted), wanted);
});

test('few steps stay as few as the writer wants them', () => {
  assert.equal(noted(2000, 2000, 2000).afford({ ...wanted, steps: 2 }).steps, 2);
});

test('a first answer is drafted only where the whole one would be late', () => {
  assert.equal(noted(3000, 3000).draft(wanted, 0), null);
  assert.equal(noted(3000, 80, 80).draft(wanted, 0), null);
  assert.equal(noted(patienceMs, patienceMs, patienceMs).draft(wanted, 0), null);
  assert.equal(noted(800, 800, 800).draft(wanted, 800), null);
  assert.deepEqual(noted(800, 800, 800).draft(wanted, 400), {
    steps: 4,
    candidates: 1,
    beamSize: 3,
  });
});

test('a machine that was slow is given another chance when nobody waits for whole answers', () => {
  const budget = noted(800, 800, 800);
  assert.notEqual(budget.draft(wanted, 0), null);
  assert.equal(budget.draft(wanted, 0), null);
});
