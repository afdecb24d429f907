/*
 * Puts pickles together, operation by operation: well-formed ones and any broken one. Each
 * function returns bytes; a value is the bytes that leave it on the stack.
 */

/** Bytes, or the numbers of single ones. */
export type PickleBytes = Uint8Array | readonly number[];

/** Joins operations. */
export function join(...parts: readonly PickleBytes[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts.map((part) => Uint8Array.from(part))));
}

/** A whole pickle. */
export function pickle(...parts: readonly PickleBytes[]): Uint8Array {
  return join([0x80, 2], ...parts, [stop]);
}

const stop = 0x2e;

/** Operations without arguments, by their names in pickletools. */
export const op = {
  MARK: [0x28],
  NONE: [0x4e],
  NEWTRUE: [0x88],
  NEWFALSE: [0x89],
  EMPTY_TUPLE: [0x29],
  EMPTY_LIST: [0x5d],
  EMPTY_DICT: [0x7d],
  TUPLE1: [0x85],
  TUPLE2: [0x86],
  TUPLE: [0x74],
  APPEND: [0x61],
  APPENDS: [0x65],
  SETITEM: [0x73],
  SETITEMS: [0x75],
  MEMOIZE: [0x94],
  STACK_GLOBAL: [0x93],
  REDUCE: [0x52],
  NEWOBJ: [0x81],
  BUILD: [0x62],
  BINPERSID: [0x51],
} as const;

export function text(value: string): Uint8Array {
  const bytes = Buffer.from(value);
  return join([0x58], uint32(bytes.length), bytes);
}

/** An integer of up to 64 bits, with a sign. */
export function integer(value: number | bigint): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(BigInt(value));
  return join([0x8a, 8], bytes);
}

export function float(value: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return join([0x47], bytes);
}

export function global(module: string, name: string): Uint8Array {
  return join([0x63], Buffer.from(`${module}\n${name}\n`));
}

export function tuple(...items: readonly PickleBytes[]): Uint8Array {
  return join(op.MARK, ...items, op.TUPLE);
}

export function integers(values: readonly (number | bigint)[]): Uint8Array {
  return tuple(...values.map(integer));
}

export function call(callee: PickleBytes, ...args: readonly PickleBytes[]): Uint8Array {
  return join(callee, tuple(...args), op.REDUCE);
}

export function dict(...entries: readonly (readonly [string, PickleBytes])[]): Uint8Array {
  return join(op.EMPTY_DICT, items(...entries));
}

export function orderedDict(...entries: readonly (readonly [string, PickleBytes])[]): Uint8Array {
  return join(call(global('collections', 'OrderedDict')), items(...entries));
}

function items(...entries: readonly (readonly [string, PickleBytes])[]): Uint8Array {
  return join(op.MARK, ...entries.flatMap(([key, value]) => [text(key), value]), op.SETITEMS);
}

export function uint32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
