import assert from 'node:assert/strict';
import { test } from 'node:test';
import { conceptSpace, rawSpace, remembering } from '../../../server/features/conceptSpace.ts';

const vectors = { center: Float32Array.of(1, 2), scales: Float32Array.of(2, 4) };
const others = { center: Float32Array.of(0, 0), scales: Float32Array.of(1, -1) };
const x = Float32Array.of(5, 10);

function place(normalizers: Parameters<typeof conceptSpace>[0]['normalizers'], lcm: string) {
  return [...conceptSpace({ normalizers }, lcm)(x)];
}

test('concepts are compared in the normalised space of the concept model', () => {
  assert.deepEqual(place({ a: others, b: vectors }, 'b'), [2, 2]);
  assert.deepEqual(place({ a: others, b: vectors }, 'a'), [5, -10]);
});

test('a concept model without a normaliser borrows that of another, if there is one', () => {
  assert.deepEqual(place({ 'sonar-llm': null, base: vectors }, 'sonar-llm'), [2, 2]);
  assert.deepEqual(place({ 'sonar-llm': null }, 'sonar-llm'), [5, 10]);
  assert.deepEqual(place({}, 'unknown'), [5, 10]);
});

test('a space that remembers takes every embedding there once', () => {
  let count = 0;
  const space = remembering((embedding) => {
    count++;
    return embedding.map((value) => -value);
  });
  assert.deepEqual(
    space(x),
    x.map((value) => -value),
  );
  assert.equal(space(x), space(x));
  assert.equal(count, 1);
  space(x.slice());
  assert.equal(count, 2);
});

test('the way back leads to where one came from', () => {
  for (const normalizers of [{ a: others, b: vectors }, { a: vectors }, { a: null }, {}]) {
    const placed = conceptSpace({ normalizers }, 'a')(x);
    assert.deepEqual(rawSpace({ normalizers }, 'a')(placed), x);
  }
});
