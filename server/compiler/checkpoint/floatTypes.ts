/*
 * Elements of checkpoints → float32. Typed arrays have the byte order of the machine; checkpoints
 * are little-endian, as is every machine that onnxruntime-node runs on.
 *
 *   float16   sign 1, exponent 5 (bias 15), mantissa 10
 *   bfloat16  the upper half of a float32
 */

/** Returns the float32 bit pattern of a float16 bit pattern. Exact: every float16 is a float32. */
function widenFloat16(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >>> 10) & 0x1f;
  const mantissa = half & 0x3ff;
  if (exponent === 0x1f) return sign | 0x7f800000 | (mantissa << 13); // infinity and NaN
  if (exponent > 0) return sign | ((exponent + 112) << 23) | (mantissa << 13); // 112 = 127 − 15
  if (mantissa === 0) return sign; // zero
  const shift = Math.clz32(mantissa) - 21; // brings the leading one to bit 10
  return sign | ((113 - shift) << 23) | (((mantissa << shift) & 0x3ff) << 13);
}

/** All 65,536 float16 values: a look-up is faster than the arithmetic. 256 KiB. */
function float16Table(): Float32Array {
  const bits = new Int32Array(0x10000);
  for (let half = 0; half < bits.length; half += 1) bits[half] = widenFloat16(half);
  return new Float32Array(bits.buffer);
}

const float16Values = float16Table();

/** Widens float16 bit patterns into `target` from `start` on. */
export function float16ToFloat32(halves: Uint16Array, target: Float32Array, start: number): void {
  for (let i = 0; i < halves.length; i += 1) {
    target[start + i] = float16Values[halves[i] as number] as number; // in range: 16 bits
  }
}

/** Widens bfloat16 bit patterns into `target` from `start` on. */
export function bfloat16ToFloat32(halves: Uint16Array, target: Float32Array, start: number): void {
  const bits = new Uint32Array(target.buffer, target.byteOffset, target.length);
  for (let i = 0; i < halves.length; i += 1) bits[start + i] = (halves[i] as number) << 16;
}

/** Rounds integers to float32 into `target` from `start` on. */
export function int64ToFloat32(integers: BigInt64Array, target: Float32Array, start: number): void {
  for (let i = 0; i < integers.length; i += 1) target[start + i] = Number(integers[i]);
}
