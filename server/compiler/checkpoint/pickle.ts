import type { CheckpointFormatError } from '../../base/errors.ts';
import { PickleReader } from './pickleReader.ts';
import { show, showName } from './showValue.ts';

/*
 * A pickle is a program for a machine with a stack and a memo. Python's machine can import
 * anything and call it; this one has neither imports nor calls. A name that a pickle imports is
 * looked up on a list that the caller gives, and "calling" it asks that list for plain data.
 *
 * Values become: None null, True and False booleans, int number or bigint, float number, str
 * string, bytes Uint8Array, list, tuple and set an array, dict a Map, and the rest what the list
 * makes of it. They may contain themselves, as in Python; whoever walks them has to count.
 *
 * Source: Python's Lib/pickletools.py, which documents each operation; protocols 2 to 5 as
 * Python 3 writes them. Operations of protocols 0 and 1, and those that nothing in a checkpoint
 * needs (extension registry, buffers out of band), are refused as unknown.
 */

/** Returns an error that names the place in the pickle. */
export type PickleErrorMaker = (expected: string, found: string) => CheckpointFormatError;

/** A name that a pickle may import: never the thing itself, but what stands for it here. */
export class PickleGlobal {
  /** With its module, as in `collections.OrderedDict`. */
  readonly name: string;
  /** Makes the value that stands for a call; null for what cannot be called. */
  readonly call: ((args: readonly unknown[], error: PickleErrorMaker) => unknown) | null;

  constructor(name: string, call: PickleGlobal['call'] = null) {
    this.name = name;
    this.call = call;
  }
}

/** An object of a class that means nothing here. It has a state and no behaviour. */
export class InertObject {
  readonly className: string;
  state: unknown = null;

  constructor(className: string) {
    this.className = className;
  }
}

export interface PickleContext {
  /** What errors call the pickle. */
  readonly label: string;
  /** Everything a pickle may import, by name with module. */
  readonly globals: ReadonlyMap<string, PickleGlobal>;
  /** Returns what a persistent identifier stands for. */
  persistentLoad(id: unknown, error: PickleErrorMaker): unknown;
}

/**
 * Forty operations describe a tensor, so this is room for 25,000. Every operation makes at most
 * one value, so it bounds the stack, the memo and all that is made (350 MB, when all are dicts);
 * the bytes bound the texts.
 */
export const maxOperations = 1_000_000;

/** Seeds of random generators, the longest numbers in checkpoints, have 16 bytes. */
const maxLongBytes = 128;

/** What Python 2 called the module `builtins`, and protocol 2 still does. */
const builtinsOfPython2 = '__builtin__';

/**
 * Reads a pickle.
 *
 * @throws CheckpointFormatError when it is malformed, over a limit, or imports a name that is not
 *   on the list
 */
export function unpickle(bytes: Uint8Array, context: PickleContext): unknown {
  const reader = new PickleReader(bytes, context.label);
  const protocol = reader.opcode() === 0x80 ? reader.uint8() : 0;
  if (protocol < 2 || protocol > 5) throw reader.error('a pickle of protocol 2 to 5', 'another');
  const machine = new Machine(reader, context);
  for (let count = 0; count < maxOperations; count += 1) {
    const opcode = reader.opcode();
    if (opcode === stop) return machine.result();
    const operation = operations[opcode];
    if (operation === undefined) {
      const letter = String.fromCharCode(opcode);
      throw reader.error('an operation that checkpoints need', `${show(letter)} (${opcode})`);
    }
    operation(machine, reader);
  }
  throw reader.error(`at most ${maxOperations} operations`, 'more');
}

class Machine {
  readonly reader: PickleReader;
  readonly #context: PickleContext;
  readonly #stack: unknown[] = [];
  /** Heights of the stack; what lies under the last one is out of reach. */
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, unknown>();
  readonly #error: PickleErrorMaker;

  constructor(reader: PickleReader, context: PickleContext) {
    this.reader = reader;
    this.#context = context;
    this.#error = (expected, found) => reader.error(expected, found);
  }

  push(value: unknown): void {
    this.#stack.push(value);
  }

  pop(): unknown {
    this.#requireHeight(1);
    return this.#stack.pop();
  }

  popSeveral(count: number): unknown[] {
    this.#requireHeight(count);
    return this.#stack.splice(this.#stack.length - count);
  }

  top(): unknown {
    this.#requireHeight(1);
    return this.#stack.at(-1);
  }

  mark(): void {
    this.#marks.push(this.#stack.length);
  }

  /** Returns what was pushed since the last mark. */
  popMark(): unknown[] {
    const height = this.#marks.pop();
    if (height === undefined) throw this.#error('a mark', 'none');
    return this.#stack.splice(height);
  }

  store(index = this.#memo.size): void {
    this.#memo.set(index, this.top());
  }

  recall(index: number): void {
    if (!this.#memo.has(index)) throw this.#error('a value in the memo', `none at ${index}`);
    this.push(this.#memo.get(index));
  }

  append(items: readonly unknown[]): void {
    const list = this.top();
    if (!Array.isArray(list)) throw this.#error('a list', kindOf(list));
    for (const item of items) list.push(item);
  }

  setItems(items: readonly unknown[]): void {
    const dict = this.top();
    if (!(dict instanceof Map)) throw this.#error('a dict', kindOf(dict));
    if (items.length % 2 !== 0) throw this.#error('a value for each key', 'a key alone');
    for (let index = 0; index < items.length; index += 2) {
      const key = items[index];
      if (dict.has(key)) throw this.#error('each key once', `${show(keyText(key))} twice`);
      dict.set(key, items[index + 1]);
    }
  }

  importGlobal(module: unknown, name: unknown): void {
    if (typeof module !== 'string' || typeof name !== 'string') {
      throw this.#error('the names of a module and of a thing in it', kindOf(name));
    }
    const fullName = `${module === builtinsOfPython2 ? 'builtins' : module}.${name}`;
    const found = this.#context.globals.get(fullName);
    if (found === undefined) {
      throw this.#error('only classes and functions of checkpoints', showName(fullName));
    }
    this.push(found);
  }

  /** Puts what the list makes of a call in place of the function and its arguments. */
  call(args: unknown): void {
    const callee = this.pop();
    if (!(callee instanceof PickleGlobal) || callee.call === null) {
      const found = callee instanceof PickleGlobal ? callee.name : kindOf(callee);
      throw this.#error('something that can be called', found);
    }
    if (!Array.isArray(args)) throw this.#error('arguments', kindOf(args));
    this.push(callee.call(args, this.#error));
  }

  /** Gives an object its state. Attributes of a dict, such as `_metadata`, are left aside. */
  build(): void {
    const state = this.pop();
    const object = this.top();
    if (object instanceof Map) return;
    if (!(object instanceof InertObject)) {
      throw this.#error('an object that has a state', kindOf(object));
    }
    if (object.state !== null) throw this.#error('one state of an object', 'a second');
    object.state = state;
  }

  persistentLoad(): void {
    this.push(this.#context.persistentLoad(this.pop(), this.#error));
  }

  result(): unknown {
    const [value, ...others] = this.#stack;
    if (value === undefined || others.length > 0 || this.#marks.length > 0) {
      throw this.#error('one value at the end', `${this.#stack.length}`);
    }
    if (!this.reader.isAtEnd) throw this.#error('the end of the pickle', 'more');
    return value;
  }

  #requireHeight(count: number): void {
    const height = this.#stack.length - (this.#marks.at(-1) ?? 0);
    if (height < count) throw this.#error(`${count} values on the stack`, `${height}`);
  }
}

const stop = 0x2e;

/** What each operation does, by its byte; the comments have its name in pickletools. */
const operations: Readonly<Record<number, (machine: Machine, reader: PickleReader) => void>> = {
  149: frame, // FRAME
  40: (m) => m.mark(), // MARK
  78: (m) => m.push(null), // NONE
  136: (m) => m.push(true), // NEWTRUE
  137: (m) => m.push(false), // NEWFALSE
  74: (m, r) => m.push(r.int32()), // BININT
  75: (m, r) => m.push(r.uint8()), // BININT1
  77: (m, r) => m.push(r.uint16()), // BININT2
  138: (m, r) => m.push(long(r, r.uint8())), // LONG1
  139: (m, r) => m.push(long(r, r.uint32())), // LONG4
  71: (m, r) => m.push(r.float64()), // BINFLOAT
  67: (m, r) => m.push(r.bytes(r.uint8())), // SHORT_BINBYTES
  66: (m, r) => m.push(r.bytes(r.uint32())), // BINBYTES
  142: (m, r) => m.push(r.bytes(r.uint64())), // BINBYTES8
  150: (m, r) => m.push(r.bytes(r.uint64())), // BYTEARRAY8
  140: (m, r) => m.push(r.text(r.uint8())), // SHORT_BINUNICODE
  88: (m, r) => m.push(r.text(r.uint32())), // BINUNICODE
  141: (m, r) => m.push(r.text(r.uint64())), // BINUNICODE8
  41: (m) => m.push([]), // EMPTY_TUPLE
  133: (m) => m.push(m.popSeveral(1)), // TUPLE1
  134: (m) => m.push(m.popSeveral(2)), // TUPLE2
  135: (m) => m.push(m.popSeveral(3)), // TUPLE3
  116: (m) => m.push(m.popMark()), // TUPLE
  93: (m) => m.push([]), // EMPTY_LIST
  97: (m) => m.append(m.popSeveral(1)), // APPEND
  101: (m) => m.append(m.popMark()), // APPENDS
  125: (m) => m.push(new Map()), // EMPTY_DICT
  115: (m) => m.setItems(m.popSeveral(2)), // SETITEM
  117: (m) => m.setItems(m.popMark()), // SETITEMS
  143: (m) => m.push([]), // EMPTY_SET
  144: (m) => m.append(m.popMark()), // ADDITEMS
  145: (m) => m.push(m.popMark()), // FROZENSET
  113: (m, r) => m.store(r.uint8()), // BINPUT
  114: (m, r) => m.store(r.uint32()), // LONG_BINPUT
  148: (m) => m.store(), // MEMOIZE
  104: (m, r) => m.recall(r.uint8()), // BINGET
  106: (m, r) => m.recall(r.uint32()), // LONG_BINGET
  99: (m, r) => m.importGlobal(r.line(), r.line()), // GLOBAL
  147: (m) => m.importGlobal(...namePair(m)), // STACK_GLOBAL
  82: (m) => m.call(m.pop()), // REDUCE
  129: (m) => m.call(m.pop()), // NEWOBJ
  98: (m) => m.build(), // BUILD
  81: (m) => m.persistentLoad(), // BINPERSID
};

function namePair(machine: Machine): [unknown, unknown] {
  const [module, name] = machine.popSeveral(2);
  return [module, name];
}

/** Frames only tell how far one may read ahead. */
function frame(_: Machine, reader: PickleReader): void {
  reader.uint64();
}

/** Returns an integer in two's complement, the lowest byte first. */
function long(reader: PickleReader, numBytes: number): number | bigint {
  if (numBytes > maxLongBytes) {
    throw reader.error(`a number of at most ${maxLongBytes} bytes`, `${numBytes}`);
  }
  let value = 0n;
  for (const byte of reader.bytes(numBytes).toReversed()) value = (value << 8n) | BigInt(byte);
  const signed = BigInt.asIntN(8 * numBytes, value);
  const number = Number(signed);
  return Number.isSafeInteger(number) ? number : signed;
}

/** Returns what a value is, in a word that does not repeat it. */
export function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'None';
  if (value instanceof Map) return 'a dict';
  if (Array.isArray(value)) return 'a list or tuple';
  if (value instanceof PickleGlobal) return showName(value.name);
  if (value instanceof InertObject) return `an object of ${showName(value.className)}`;
  return typeof value === 'object' ? `a ${value.constructor.name}` : `a ${typeof value}`;
}

/** Returns the key of a dict as text. */
export function keyText(key: unknown): string {
  return typeof key === 'string' || typeof key === 'number' ? String(key) : kindOf(key);
}
