import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DirectionName, Pull } from '../../../protocol/completion.ts';
import { strengthName, strengths, togglePull } from '../../../src/steeringChoices.ts';

const toward = (text: string): Pull => ({ kind: 'toward', text });
const away = (text: string): Pull => ({ kind: 'away', text });
const along = (name: DirectionName): Pull => ({ kind: 'direction', name });

/** Checks what is left after some pulls were picked, one after the other. */
function check(picked: Pull[], expected: Pull[] | null): void {
  const steering = picked.reduce<ReturnType<typeof togglePull>>(togglePull, null);
  assert.deepEqual(steering?.pulls ?? null, expected);
}

describe('togglePull', () => {
  it('adds what is picked', () => {
    check([along('plainer')], [along('plainer')]);
    check([along('plainer'), toward('the sea')], [along('plainer'), toward('the sea')]);
    check([toward('the sea'), toward('the land')], [toward('the sea'), toward('the land')]);
  });

  it('takes away what is picked again, and is null when nothing is left', () => {
    check([along('plainer'), along('plainer')], null);
    check([toward('the sea'), along('plainer'), toward('the sea')], [along('plainer')]);
  });

  it('replaces what the new one contradicts', () => {
    check([along('shorter'), along('longer')], [along('longer')]);
    check(
      [along('example'), along('plainer'), along('conclude')],
      [along('plainer'), along('conclude')],
    );
    check([toward('the sea'), away('the sea')], [away('the sea')]);
  });

  it('keeps the strength that was set', () => {
    const weak = { pulls: [along('plainer')], strength: strengths.weak };
    assert.equal(togglePull(weak, along('shorter'))?.strength, strengths.weak);
    assert.equal(togglePull(null, along('shorter'))?.strength, strengths.medium);
  });
});

describe('strengthName', () => {
  it('is the name of the nearest strength', () => {
    for (const name of ['weak', 'medium', 'strong'] as const) {
      assert.equal(strengthName(strengths[name]), name);
    }
    assert.equal(strengthName(0), 'weak');
    assert.equal(strengthName(0.7), 'medium');
    assert.equal(strengthName(0.9), 'strong');
  });
});
