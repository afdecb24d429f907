import assert from 'node:assert/strict';
import { test } from 'node:test';
import { guardFigures, inventionFigures } from '../../evaluate/fragileGuard.ts';

test('what can be put back is, and the rest is told', () => {
  const sources = ['It took 37 days.', 'From 3 to 5.', 'He met Anna.', 'It rained.'];
  const decoded = ['It took 27 days.', 'From 2 to 9.', 'He met Anna.', 'It rained.'];
  assert.deepEqual(guardFigures(sources, decoded), {
    sentences: 4,
    changed_without: 0.5,
    changed_with: 0.25,
    put_back: 0.25,
  });
});

test('suggestions that invent are counted as shown without and with the guard', () => {
  const documents = ['Anna slept.', 'It rained.'];
  const suggestions = [
    ['He met Ben.', 'It was late.', 'Everyone saw Anna.'],
    ['He was 7.', 'He was 8.'],
  ];
  assert.deepEqual(inventionFigures(documents, suggestions), {
    documents: 2,
    first_without: 1,
    first_with: 0.5,
    all_without: 0.6,
    all_with: 0.5,
    kept: 2,
  });
});
