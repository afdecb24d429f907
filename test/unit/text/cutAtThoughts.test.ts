import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cutAtThoughts } from '../../../server/text/cutAtThoughts.ts';

/** Entropy 2 everywhere, and 4 before each byte that `|` stands before in the marked text. */
function marked(text: string): { text: string; entropies: number[] } {
  const bytes = [...new TextEncoder().encode(text)];
  const bar = '|'.charCodeAt(0);
  const entropies = bytes.flatMap((byte, i) =>
    byte === bar ? [] : [bytes[i - 1] === bar ? 4 : 2],
  );
  return { text: text.replaceAll('|', ''), entropies: [...entropies, 2] };
}

/** Pieces are written as one string with ` / ` between them. */
function checkCut(max: number, cases: Record<string, string>): void {
  for (const [source, expected] of Object.entries(cases)) {
    const { text, entropies } = marked(source);
    const pieces = cutAtThoughts(text, entropies, max);
    assert.equal(pieces.map(({ start, end }) => text.slice(start, end)).join(' / '), expected);
    assert.ok(pieces.every(({ start, end }) => end - start <= max));
  }
}

test('a sentence that is short enough stays whole', () => {
  checkCut(20, { 'one |two three': 'one two three', '': '' });
});

test('the cut is before the word that the model knows least about', () => {
  checkCut(20, {
    'one two three |four five six': 'one two three / four five six',
    'one two |three four five six': 'one two / three four five six',
    'élan élan |été x élan été': 'élan élan / été x élan été',
  });
});

test('punctuation counts more', () => {
  checkCut(20, {
    'one two, three |four five six': 'one two, / three four five six',
    'one two three |four, five six': 'one two three four, / five six',
  });
});

test('no piece is a word or two as long as there is another place', () => {
  checkCut(30, { 'a |b three four five six seven eight': 'a b three four five six / seven eight' });
});

test('a long one is cut again and again, and no word is cut', () => {
  const text = 'seven letter words again and again '.repeat(20).trim();
  const entropies = new Float32Array(text.length + 1).fill(3);
  const pieces = cutAtThoughts(text, entropies, 60);
  const texts = pieces.map(({ start, end }) => text.slice(start, end));
  assert.equal(texts.join(' '), text);
  assert.ok(texts.every((piece) => piece.length <= 60 && piece.length >= 20));
});

test('where nothing is a place, the recipe of separators cuts', () => {
  const text = '长句子没有空格，'.repeat(10);
  const entropies = new Float32Array(Buffer.byteLength(text) + 1).fill(3);
  const pieces = cutAtThoughts(text, entropies, 30);
  assert.equal(pieces.map(({ start, end }) => text.slice(start, end)).join(''), text);
  assert.ok(pieces.every(({ start, end }) => end - start <= 30));
  const sure = 'aaa bbb ccc ddd eee fff ggg';
  assert.equal(cutAtThoughts(sure, new Float32Array(28), 12).length, 3);
});
