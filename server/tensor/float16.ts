/*
 * float16: sign 1, exponent 5 (bias 15), mantissa 10. Node 20 has no array of this type, so the
 * numbers travel as bit patterns in a Uint16Array.
 */

/** The largest finite float16. */
export const maxFloat16 = 65504;

/** 2^−14 as float32 bits: the smallest float16 with an exponent of its own. */
const smallestNormal = 0x38800000;
const infinity = 0x7f800000;
/** The difference of the biases, 127 and 15, in the place of a float32's exponent. */
const rebias = (127 - 15) << 23;
/** Mantissa bits that float16 lacks. */
const lostBits = 13;

/**
 * Rounds float32 to the nearest float16, ties to even; what is beyond the range becomes infinite.
 *
 * Source: IEEE 754-2019, section 4.3.1.
 */
export function float32ToFloat16(values: Float32Array): Uint16Array {
  const patterns = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const pattern = patterns[i] as number; // in range
    const sign = (pattern >>> 16) & 0x8000;
    const magnitude = pattern & 0x7fffffff;
    if (magnitude > infinity) {
      halves[i] = sign | 0x7e00; // NaN
    } else if (magnitude >= smallestNormal) {
      const tieToEven = (1 << (lostBits - 1)) - 1 + ((magnitude >>> lostBits) & 1);
      halves[i] = sign | Math.min((magnitude - rebias + tieToEven) >>> lostBits, 0x7c00);
    } else {
      // Multiples of 2^−24. A float32 from ½ to 1 is one as well, so that the sum rounds.
      const rounded = Math.fround(Math.abs(values[i] as number) + 0.5) - 0.5;
      halves[i] = sign | (rounded * 2 ** 24);
    }
  }
  return halves;
}
