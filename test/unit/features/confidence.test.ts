import assert from 'node:assert/strict';
import { test } from 'node:test';
import { confidenceOf, type Signals } from '../../../server/features/confidence.ts';

const signals: Signals = {
  text: 'x'.repeat(20),
  agreement: 0.5,
  fidelity: 0.75,
  score: -2,
  surprisal: 1.5,
};
const entry = {
  ...{ langs: ['eng_Latn', 'fra_Latn'], bias: 0.5, support: 2, agreement: 4 },
  ...{ score: 1, surprisal: -2, logLength: 3 },
};

test('confidence is the logistic function of what is known, each with its coefficient', () => {
  const x = 0.5 + 2 * 0.5 + 4 * 0.75 + 1 * -2 - 2 * 1.5 + 3 * Math.log(20);
  const expected = 1 / (1 + Math.exp(-x));
  assert.ok(Math.abs((confidenceOf(signals, entry, 'fra_Latn') ?? 0) - expected) < 1e-12);
});

test('nothing is said of another language, without coefficients, or without an entropy model', () => {
  assert.equal(confidenceOf(signals, entry, 'deu_Latn'), null);
  assert.equal(confidenceOf(signals, null, 'eng_Latn'), null);
  assert.equal(confidenceOf({ ...signals, surprisal: null }, entry, 'eng_Latn'), null);
});
