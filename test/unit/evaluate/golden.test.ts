import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { bleu } from '../../evaluate/bleu.ts';
import { chrf } from '../../evaluate/chrf.ts';
import { goesInCircles, isWellFormed, wordsOf } from '../../evaluate/words.ts';

interface Golden {
  overlap: { hypotheses: string[]; references: string[]; chrf: number; bleu: number }[];
  known: string[];
  texts: { text: string; words: string[]; in_circles: boolean; well_formed: boolean }[];
}

// Written by training/evaluation/golden.py.
const golden = JSON.parse(readFileSync('test/golden/evaluation.json', 'utf8')) as Golden;

function checkClose(found: number, expected: number): void {
  assert.ok(Math.abs(found - expected) < 1e-9, `expected ${expected}, found ${found}`);
}

test('chrF is what it is in Python', () => {
  for (const corpus of golden.overlap) {
    checkClose(chrf(corpus.hypotheses, corpus.references), corpus.chrf);
  }
});

test('BLEU is what it is in Python, and so what sacreBLEU says', () => {
  for (const corpus of golden.overlap) {
    checkClose(bleu(corpus.hypotheses, corpus.references), corpus.bleu);
  }
});

test('a sentence is well-formed where it is in Python', () => {
  const known = new Set(golden.known);
  for (const { text, words, in_circles, well_formed } of golden.texts) {
    assert.deepEqual(wordsOf(text), words);
    assert.equal(goesInCircles(words), in_circles, text);
    assert.equal(isWellFormed(text, known), well_formed, text);
  }
});
