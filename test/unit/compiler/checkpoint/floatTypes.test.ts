import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  bfloat16ToFloat32,
  float16ToFloat32,
  int64ToFloat32,
} from '../../../../server/compiler/checkpoint/floatTypes.ts';

/** The value of a float16 by its definition. */
function float16Value(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const mantissa = half & 0x3ff;
  if (exponent === 0x1f) return mantissa ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  return sign * (1024 + mantissa) * 2 ** (exponent - 25);
}

test('every float16 becomes the float32 of the same value', () => {
  const halves = Uint16Array.from({ length: 0x10000 }, (_, i) => i);
  const found = new Float32Array(halves.length);
  float16ToFloat32(halves, found, 0);
  const differing = halves.filter((h) => !Object.is(found[h], float16Value(h)));
  assert.deepEqual(
    [...differing].map((h) => [h, found[h], float16Value(h)]),
    [],
  );
});

test('every bfloat16 is the upper half of the float32 it becomes', () => {
  const halves = Uint16Array.from({ length: 0x10000 }, (_, i) => i);
  const found = new Float32Array(halves.length);
  bfloat16ToFloat32(halves, found, 0);
  const upper = Uint16Array.from(new Uint32Array(found.buffer), (bits) => bits >>> 16);
  assert.deepEqual(upper, halves);
});

test('integers become the nearest float32', () => {
  const found = new Float32Array(4);
  int64ToFloat32(BigInt64Array.of(0n, -7n, 16_777_217n, 2n ** 62n), found, 0);
  assert.deepEqual(found, Float32Array.of(0, -7, 16_777_216, 2 ** 62));
});

test('elements are put where they are asked for', () => {
  const found = new Float32Array(5);
  float16ToFloat32(Uint16Array.of(0x3c00), found, 1);
  bfloat16ToFloat32(Uint16Array.of(0x4000), found, 2);
  int64ToFloat32(BigInt64Array.of(3n), found, 3);
  assert.deepEqual(found, Float32Array.of(0, 1, 2, 3, 0));
});
