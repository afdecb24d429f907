import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Candidate,
  differentIdeas,
  type GeneratedCandidate,
  isReadable,
  rank,
  Said,
  support,
  wording,
} from '../../../server/features/ranking.ts';
import { cosine } from '../../../server/tensor/vector.ts';
import { atAngle } from '../../support/angles.ts';

const raw = (embedding: Float32Array) => embedding;

/** A sentence that was predicted at one angle and reads at another. */
function generated(predicted: number, written: number): Candidate {
  const [embedding, concept] = [atAngle(predicted), atAngle(written)];
  const agreement = cosine(embedding, concept);
  const fidelity = agreement;
  const unknown = { surprisal: null, confidence: null };
  const text = `${written}`;
  return { origin: 'model', text, score: -1, embedding, concept, agreement, fidelity, ...unknown };
}

function own(angle: number, predictions: readonly Float32Array[]): Candidate {
  const concept = atAngle(angle);
  const agreement = support(concept, predictions, raw) ?? 0;
  return { origin: 'own', text: `own ${angle}`, concept, agreement, confidence: null };
}

function predictionsOf(candidates: readonly Candidate[]): Float32Array[] {
  return candidates.flatMap((one) => (one.origin === 'model' ? [one.embedding] : []));
}

function ranked(candidates: readonly Candidate[]): string[] {
  return rank(candidates, predictionsOf(candidates), raw).map(({ text }) => text);
}

test('what other predictions mean too comes first, in whatever order it was sampled', () => {
  const candidates = [generated(0, 40), generated(90, 100), generated(45, 50)];
  // 40 is 5 from another prediction, 100 is 55, and 50 is 40.
  assert.deepEqual(ranked(candidates), ['40', '50', '100']);
  assert.deepEqual(ranked(candidates.toReversed()), ranked(candidates));
});

test('of equals the first sampled stays first', () => {
  const candidates = ['a', 'b', 'c'].map((text) => ({ ...generated(0, 0), text }));
  assert.deepEqual(ranked(candidates), ['a', 'b', 'c']);
});

test('beside the writer’s own, a sentence is measured by predictions that it was not written from', () => {
  const sampled = [generated(0, 2), generated(30, 28), generated(90, 91)];
  const predictions = predictionsOf(sampled);
  // 28 is 28 from the nearest other prediction, 2 is 28 as well, 91 is 61; the own one is 10.
  const candidates = [...sampled, own(20, predictions)];
  assert.equal(ranked(candidates)[0], 'own 20');
  assert.equal(ranked(candidates).at(-1), '91');
  const far = [...sampled, own(180, predictions)];
  assert.equal(ranked(far).at(-1), 'own 180');
});

test('a single prediction is all that there is to measure by', () => {
  const sampled = generated(0, 10);
  assert.deepEqual(ranked([own(5, [atAngle(0)]), sampled]), ['own 5', '10']);
  assert.deepEqual(ranked([own(15, [atAngle(0)]), sampled]), ['10', 'own 15']);
});

test('where all are judged, confidence decides, and the judge sees what was compared', () => {
  const candidates = [generated(0, 40), generated(90, 100), generated(45, 50)];
  const seen: number[] = [];
  const judge = ({ text, agreement, fidelity }: GeneratedCandidate) => {
    if (text === '40') seen.push(agreement, fidelity);
    return Number(text) / 100;
  };
  const judged = rank(candidates, predictionsOf(candidates), raw, judge);
  assert.deepEqual(
    judged.map(({ confidence }) => confidence),
    [1, 0.5, 0.4],
  );
  const expected = [5, 40].map((degrees) => Math.cos((degrees * Math.PI) / 180));
  for (const [i, value] of expected.entries()) assert.ok(Math.abs((seen[i] ?? 0) - value) < 1e-6);
  const together = [...candidates, own(100, predictionsOf(candidates))];
  const texts = rank(together, predictionsOf(candidates), raw, judge).map(({ text }) => text);
  assert.deepEqual(texts, ['40', 'own 100', '50', '100']);
});

test('support is the cosine of the nearest prediction in the space, and nothing without any', () => {
  const mirrored = (x: Float32Array) => x.map((value, i) => (i === 0 ? -value : value));
  const predictions = [atAngle(10), atAngle(60)];
  const nearest = Math.cos((5 * Math.PI) / 180);
  assert.ok(Math.abs((support(atAngle(55), predictions, raw) ?? 0) - nearest) < 1e-6);
  assert.ok(Math.abs((support(atAngle(55), predictions, mirrored) ?? 0) - nearest) < 1e-6);
  assert.equal(support(atAngle(0), [], raw), null);
});

function ideas(angles: readonly number[], taken: readonly number[] = []): string[] {
  const candidates = angles.map((angle) => generated(angle, angle));
  const there = taken.map((angle) => ({ text: '', embedding: atAngle(angle) }));
  return differentIdeas(candidates, there, raw).map(({ text }) => text);
}

// The cosine of 36.9 degrees is 0.8.
for (const [name, angles, taken, expected] of [
  ['different ideas stay, in their order', [80, 0, 40], [], ['80', '0', '40']],
  ['of near duplicates the first stays', [0, 30, 60], [], ['0', '60']],
  ['a chain is broken by what is kept, not by what is dropped', [0, 30, 50], [], ['0', '50']],
  ['what the text says already is dropped', [0, 60], [50, 200], ['0']],
  ['nothing remains when everything is said', [10, 20], [15], []],
  ['no candidates are no ideas', [], [0], []],
] as const) {
  test(`ideas: ${name}`, () => assert.deepEqual(ideas(angles, taken), expected));
}

for (const [text, expected] of [
  ['It rained.', true],
  ['No, no, no!', true],
  ['她说了很多。', true],
  ['', false],
  [' … ', false],
  ['He ⁇ left.', false],
  ['She said her her her her book.', false],
  ['I, I, I, I am.', false],
  ['I, I, I am.', true],
  ['They They were scared.', false],
  ['I I got it.', false],
  ['He had had enough.', true],
  ['The theory holds.', true],
  ['Her hers her hers are here.', true],
  ['Theaaaaaa was a house.', false],
  ['的的的的的', false],
] as const) {
  test(`«${text}» is ${expected ? '' : 'not '}readable`, () => {
    assert.equal(isReadable(text), expected);
  });
}

const said = new Said(['He left.'], 'It had rained — all night.\nHe left early.');

for (const [text, expected] of [
  ['he  LEFT!', true],
  ['Left early!', false],
  ['“It had rained…”', true],
  ['Rained all night.', true],
  ['It had rained all', true],
  ['It had rain.', false],
  ['All night.', false],
  ['', false],
] as const) {
  test(`«${text}» is ${expected ? '' : 'not '}said already`, () => {
    assert.equal(said.has(text), expected);
  });
}

test('wording is letters and digits', () => {
  assert.equal(wording('  “Yes,” she said — 3.5!  '), 'yes she said 3 5');
});
