import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RestartPolicy } from '../../../src/restartPolicy.ts';

const minuteMs = 60_000;

function check(lossesMs: number[], expected: boolean[]): void {
  const policy = new RestartPolicy();
  assert.deepEqual(
    lossesMs.map((lossMs) => policy.mayRestart(lossMs)),
    expected,
  );
}

describe('RestartPolicy', () => {
  it('restarts four times in three minutes and no fifth time', () => {
    check([0, 1, 2, 3, 4], [true, true, true, true, false]);
  });

  it('restarts again when the first restart is three minutes ago', () => {
    check([0, 1, 2, 3, 3 * minuteMs - 1], [true, true, true, true, false]);
    check([0, 1, 2, 3, 3 * minuteMs], [true, true, true, true, true]);
  });

  it('always restarts what goes away now and then', () => {
    check(
      Array.from({ length: 20 }, (_, i) => i * minuteMs),
      Array.from({ length: 20 }, () => true),
    );
  });

  it('counts afresh after a reset', () => {
    const policy = new RestartPolicy();
    for (const lossMs of [0, 1, 2, 3]) policy.mayRestart(lossMs);
    policy.reset();
    assert.equal(policy.mayRestart(4), true);
  });
});
