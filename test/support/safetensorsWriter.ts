/*
 * Builds safetensors files for tests: well-formed ones from tensors, and any broken one from a
 * header and data of its own.
 */

export type StoredType = 'F64' | 'F32' | 'F16' | 'BF16' | 'I64' | 'I32' | 'U8' | 'BOOL';

/** A tensor as a file holds it. */
export interface StoredTensor {
  type: StoredType;
  shape: readonly number[];
  /** Little-endian. */
  bytes: Uint8Array;
}

/** Returns numbers as a tensor of the given type. float16 and bfloat16 are rounded to nearest. */
export function storeTensor(
  type: StoredType,
  shape: readonly number[],
  values: ArrayLike<number>,
): StoredTensor {
  return { type, shape, bytes: new Uint8Array(toBuffer(type, Array.from(values))) };
}

/** Returns a well-formed file. */
export function writeSafetensors(
  tensors: Readonly<Record<string, StoredTensor>>,
  metadata?: Readonly<Record<string, string>>,
): Uint8Array {
  const entries: [string, unknown][] = metadata ? [['__metadata__', metadata]] : [];
  const chunks: Uint8Array[] = [];
  let position = 0;
  for (const [name, { type, shape, bytes }] of Object.entries(tensors)) {
    const offsets = [position, position + bytes.length];
    entries.push([name, { dtype: type, shape, data_offsets: offsets }]);
    chunks.push(bytes);
    position += bytes.length;
  }
  return assembleSafetensors(JSON.stringify(Object.fromEntries(entries)), Buffer.concat(chunks));
}

/** Returns a file of any header and data, with the length in front that fits or another. */
export function assembleSafetensors(
  header: string | Uint8Array,
  data: Uint8Array,
  headerLength?: bigint,
): Uint8Array {
  const bytes = typeof header === 'string' ? Buffer.from(header) : header;
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(headerLength ?? BigInt(bytes.length));
  return Buffer.concat([length, bytes, data]);
}

function toBuffer(type: StoredType, values: readonly number[]): ArrayBuffer {
  switch (type) {
    case 'F64':
      return Float64Array.from(values).buffer;
    case 'F32':
      return Float32Array.from(values).buffer;
    case 'I64':
      return BigInt64Array.from(values, BigInt).buffer;
    case 'I32':
      return Int32Array.from(values).buffer;
    case 'U8':
    case 'BOOL':
      return Uint8Array.from(values).buffer;
    case 'BF16':
      return Uint16Array.from(values, toBfloat16).buffer;
    case 'F16':
      return Uint16Array.from(values, toFloat16).buffer;
  }
}

function toBfloat16(value: number): number {
  const bits = new Uint32Array(Float32Array.of(value).buffer)[0] ?? 0;
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

/** Rounds by counting in steps of the target's spacing, which is 2⁻²⁴ for the smallest numbers. */
function toFloat16(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (Number.isNaN(value)) return 0x7e00;
  const exponent = Math.max(Math.floor(Math.log2(size)), -14);
  const steps = roundToEven(size / 2 ** (exponent - 10)); // 1024 … 2048 for normal numbers
  const bits = (exponent + 14) * 1024 + steps; // a carry of the mantissa raises the exponent
  return sign | (bits >= 0x7c00 || size === Number.POSITIVE_INFINITY ? 0x7c00 : bits);
}

function roundToEven(value: number): number {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 === 1 ? rounded - 1 : rounded;
}
