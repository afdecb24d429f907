import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  identityNormalizer,
  parseNormalizer,
} from '../../../../server/inference/lcm/normalizer.ts';

function file(...values: number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  for (const [i, value] of values.entries()) view.setFloat32(4 * i, value, true);
  return bytes;
}

test('a normaliser subtracts centers and divides by scales', () => {
  const normalizer = parseNormalizer(file(1, -1, 2, 4), 2, 'normalizer.bin');
  assert.deepEqual(normalizer.normalize(Float32Array.of(5, 7)), Float32Array.of(2, 2));
  assert.deepEqual(normalizer.denormalize(Float32Array.of(2, 2)), Float32Array.of(5, 7));
  const vectors = { center: Float32Array.of(1, -1), scales: Float32Array.of(2, 4) };
  assert.deepEqual(normalizer.vectors, vectors);
});

test('a file need not be aligned in memory', () => {
  const shifted = new Uint8Array(17);
  shifted.set(file(1, -1, 2, 4), 1);
  const normalizer = parseNormalizer(shifted.subarray(1), 2, 'normalizer.bin');
  assert.deepEqual(normalizer.normalize(Float32Array.of(5, 7)), Float32Array.of(2, 2));
});

test('the identity leaves embeddings as they are', () => {
  const x = Float32Array.of(1, 2);
  assert.equal(identityNormalizer.normalize(x), x);
  assert.equal(identityNormalizer.denormalize(x), x);
});

test('a file of another size or with impossible numbers is refused by name', () => {
  const broken = [
    file(),
    file(1, 2, 3),
    file(1, -1, 2, 4).subarray(1),
    file(1, -1, 0, 4),
    file(Number.NaN, -1, 2, 4),
    file(1, -1, Number.POSITIVE_INFINITY, 4),
  ];
  for (const bytes of broken) {
    assert.throws(() => parseNormalizer(bytes, 2, 'normalizer.bin'), {
      code: 'modelCorrupt',
      message: /^normalizer\.bin: expected/,
    });
  }
});
