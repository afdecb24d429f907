import assert from 'node:assert/strict';
import { test } from 'node:test';
import { continued, type Offer, outcomeOf } from '../../../server/writing/offer.ts';

const before = 'It rained.';
const offer: Offer = {
  start: before.length,
  texts: [' He left.', ' He stayed, alone.'].map((text) => ({ text, confidence: null })),
};

/** Applies an edit to a text and tells what it means for the offer. */
function outcome(text: string, start: number, end: number, inserted: string): string {
  const after = text.slice(0, start) + inserted + text.slice(end);
  return outcomeOf(offer, after, { start, end, text: inserted });
}

const end = before.length;

for (const [expected, typed, inserted] of [
  ['accepted', '', ' He left.'],
  ['accepted', ' He', ' left.'],
  ['acceptedPartly', '', ' He'],
  ['acceptedPartly', ' He', ' stayed,'],
  ['typing', '', ' '],
  ['typing', ' H', 'e'],
  ['typed', ' He left', '.'],
  ['rejected', ' ', 'S'],
  ['rejected', ' He ', 'w'],
  ['rejected', '', ' Nobody knew.'],
  ['untouched', '', '\n'],
  ['untouched', '', '\n\n'],
] as const) {
  test(`'${inserted}' after '${typed}' is ${expected}`, () => {
    assert.equal(
      outcome(before + typed, end + typed.length, end + typed.length, inserted),
      expected,
    );
  });
}

test('an editor that replaces what was typed by the whole sentence has accepted it', () => {
  assert.equal(outcome(`${before} He`, end, end + 3, ' He left.'), 'accepted');
});

test('a deletion takes back, a change before the offer takes its ground, a far one is no matter', () => {
  assert.equal(outcome(`${before} He`, end + 2, end + 3, ''), 'takenBack');
  assert.equal(outcome(before, 3, 4, ''), 'lost');
  assert.equal(outcome(before, 0, 0, 'A'), 'lost');
  assert.equal(outcome(`${before}${'\n'.repeat(99)}`, end + 90, end + 90, 'x'), 'untouched');
});

test('what was typed goes on with the sentences that begin so, and only with those', () => {
  const at = (typed: string) =>
    continued(offer, before + typed, end + typed.length).map(({ text }) => text);
  assert.deepEqual(at(''), [' He left.', ' He stayed, alone.']);
  assert.deepEqual(at(' He '), [' He left.', ' He stayed, alone.']);
  assert.deepEqual(at(' He s'), [' He stayed, alone.']);
  assert.deepEqual(at(' He left.'), []);
  assert.deepEqual(at(' She'), []);
  assert.deepEqual(continued(offer, before, 3), []);
});
