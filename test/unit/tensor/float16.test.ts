import assert from 'node:assert/strict';
import test from 'node:test';
import { float32ToFloat16, maxFloat16 } from '../../../server/tensor/float16.ts';

/** The value of a float16 by its definition. */
function float16Value(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const mantissa = half & 0x3ff;
  if (exponent === 0x1f) return mantissa ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  return sign * (1024 + mantissa) * 2 ** (exponent - 25);
}

function check(values: readonly number[], expected: readonly number[]): void {
  assert.deepEqual([...float32ToFloat16(Float32Array.from(values))], expected);
}

/** All finite float16 from zero up. */
const finite = Array.from({ length: 0x7c00 }, (_, half) => half);

test('every finite float16 and its negative is itself', () => {
  check(finite.map(float16Value), finite);
  const negative = finite.map((half) => half | 0x8000);
  check(negative.map(float16Value), negative);
});

test('between two neighbours the nearer wins, and in the middle the even one', () => {
  const below = finite.slice(0, -1);
  const middle = below.map((half) => (float16Value(half) + float16Value(half + 1)) / 2);
  const up = (value: number) => value * (1 + 2 ** -20);
  const down = (value: number) => value * (1 - 2 ** -20);
  check(middle.map(down), below);
  check(
    middle.map(up),
    below.map((half) => half + 1),
  );
  check(
    middle,
    below.map((half) => half + (half & 1)),
  );
});

test('what is beyond the range is infinite, and NaN stays', () => {
  check([maxFloat16, 65519, 65520, 1e30, Infinity], [0x7bff, 0x7bff, 0x7c00, 0x7c00, 0x7c00]);
  check([-65520, NaN, 1e-30, -1e-30], [0xfc00, 0x7e00, 0, 0x8000]);
});

test('a view into other numbers is read at its own place', () => {
  check([...Float32Array.of(5, 1, 2).subarray(1)], [0x3c00, 0x4000]);
  assert.deepEqual([...float32ToFloat16(Float32Array.of(5, 1, 2).subarray(1))], [0x3c00, 0x4000]);
});
