import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contextConcepts, contextWindow } from '../../../server/features/contextWindow.ts';
import { Random } from '../../../server/tensor/random.ts';

/** A text of so many concepts, whose first numbers are as good as random. */
function textOf(count: number) {
  const numbers = new Random(1, 0).gaussians(count);
  return Array.from(numbers, (number, i) => ({
    text: `Sentence ${i}.`,
    embedding: Float32Array.of(number, 1),
  }));
}

test('a text that fits is read whole', () => {
  const text = textOf(contextConcepts - 1);
  assert.deepEqual(contextWindow(text), text);
  assert.deepEqual(contextWindow([]), []);
});

test('the window is the end of the text, between 16 and 32 concepts', () => {
  for (let count = contextConcepts; count < 200; count++) {
    const text = textOf(200).slice(0, count);
    const window = contextWindow(text);
    assert.ok(window.length >= 16 && window.length <= contextConcepts, String(window.length));
    assert.deepEqual(window, text.slice(-window.length));
  }
});

test('only the last 32 concepts decide where it begins', () => {
  const text = textOf(100);
  assert.deepEqual(contextWindow(text), contextWindow(text.slice(-contextConcepts)));
});

test('a text that grows keeps the beginning of its window for sentence after sentence', () => {
  const text = textOf(400);
  let moves = 0;
  let start = contextWindow(text.slice(0, contextConcepts))[0];
  for (let count = contextConcepts + 1; count <= text.length; count++) {
    const [next] = contextWindow(text.slice(0, count));
    if (next !== start) moves++;
    start = next;
  }
  // Of 17 places the smallest moves when it leaves or when a smaller one comes: 2 times in 18.
  assert.ok(moves > 0 && moves < (2 * 368) / 12, `${moves} moves in 368 sentences`);
});
