import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CheckpointFormatError } from '../../../../server/base/errors.ts';
import {
  InertObject,
  maxOperations,
  PickleGlobal,
  unpickle,
} from '../../../../server/compiler/checkpoint/pickle.ts';
import {
  call,
  dict,
  float,
  global,
  integer,
  integers,
  join,
  op,
  type PickleBytes,
  pickle,
  text,
  tuple,
} from '../../../support/pickleWriter.ts';
import { checkRefused } from '../../../support/refused.ts';

const globals = new Map(
  [
    new PickleGlobal('allowed.pair', (args) => args),
    new PickleGlobal('allowed.Thing', () => new InertObject('allowed.Thing')),
    new PickleGlobal('allowed.constant'),
  ].map((found) => [found.name, found]),
);

function read(bytes: Uint8Array): unknown {
  return unpickle(bytes, {
    label: 'test',
    globals,
    persistentLoad: (id) => ['persistent', id],
  });
}

const thing = global('allowed', 'Thing');
const bytesOf = (letters: string) => Buffer.from(letters, 'latin1');

test('values of every kind are read', () => {
  const cases: readonly [PickleBytes, unknown][] = [
    [op.NONE, null],
    [op.NEWTRUE, true],
    [op.NEWFALSE, false],
    [bytesOf('K\xff'), 255],
    [bytesOf('M\xff\xff'), 65_535],
    [bytesOf('J\xfe\xff\xff\xff'), -2],
    [bytesOf('\x8a\x00'), 0],
    [bytesOf('\x8a\x01\xff'), -1],
    [bytesOf('\x8b\x02\x00\x00\x00\x00\x80'), -32_768],
    [integer(-(2 ** 53) + 1), -(2 ** 53) + 1],
    [integer(2n ** 62n), 2n ** 62n],
    [float(-0.1), -0.1],
    [text('ä'), 'ä'],
    [bytesOf('\x8c\x01a'), 'a'],
    [bytesOf('\x8d\x01\x00\x00\x00\x00\x00\x00\x00a'), 'a'],
    [bytesOf('C\x01a'), Uint8Array.of(97)],
    [bytesOf('B\x01\x00\x00\x00a'), Uint8Array.of(97)],
    [bytesOf('\x8e\x01\x00\x00\x00\x00\x00\x00\x00a'), Uint8Array.of(97)],
    [bytesOf('\x96\x01\x00\x00\x00\x00\x00\x00\x00a'), Uint8Array.of(97)],
    [op.EMPTY_TUPLE, []],
    [join(integer(1), op.TUPLE1), [1]],
    [join(integer(1), integer(2), op.TUPLE2), [1, 2]],
    [join(integer(1), integer(2), integer(3), bytesOf('\x87')), [1, 2, 3]],
    [tuple(integer(1), tuple(), text('a')), [1, [], 'a']],
    [join(op.EMPTY_LIST, integer(1), op.APPEND), [1]],
    [join(op.EMPTY_LIST, op.MARK, integer(1), integer(2), op.APPENDS), [1, 2]],
    [bytesOf('\x8f(K\x01\x90'), [1]],
    [bytesOf('(K\x01\x91'), [1]],
    [
      dict(['a', integer(1)], ['b', op.NONE]),
      new Map([
        ['a', 1],
        ['b', null],
      ]),
    ],
    [join(op.EMPTY_DICT, integer(1), integer(2), op.SETITEM), new Map([[1, 2]])],
    [bytesOf('K\x01q\x05h\x05\x86'), [1, 1]],
    [bytesOf('K\x01r\x05\x00\x00\x00j\x05\x00\x00\x00\x86'), [1, 1]],
    [bytesOf('K\x01\x94h\x00\x86'), [1, 1]],
    [bytesOf('\x95\x00\x00\x00\x00\x00\x00\x00\x00K\x01'), 1],
    [call(global('allowed', 'pair'), integer(1)), [1]],
    [join(text('allowed'), text('pair'), op.STACK_GLOBAL, integers([1]), op.NEWOBJ), [1]],
    [join(text('id'), op.BINPERSID), ['persistent', 'id']],
  ];
  for (const [bytes, expected] of cases) assert.deepEqual(read(pickle(bytes)), expected);
});

test('a value of the memo is the value itself', () => {
  const shared = read(pickle(bytesOf(']q\x00h\x00\x86')));
  assert.ok(Array.isArray(shared) && shared[0] === shared[1]);
});

test('an object has its state and nothing else', () => {
  const found = read(pickle(call(thing), dict(['a', integer(1)]), op.BUILD));
  assert.ok(found instanceof InertObject);
  assert.deepEqual(found.state, new Map([['a', 1]]));
});

test('a name that is not on the list is told, however it is imported', () => {
  const imports: readonly [PickleBytes, RegExp][] = [
    [call(global('os', 'system'), text('true')), /byte 2: .*, found os\.system$/],
    [call(global('posix', 'system'), text('true')), /found posix\.system/],
    [call(global('builtins', 'eval'), text('1')), /found builtins\.eval/],
    [call(global('__builtin__', 'eval'), text('1')), /found builtins\.eval/],
    [join(text('os'), text('system'), op.STACK_GLOBAL), /found os\.system/],
    [join(text('os'), op.NONE, op.STACK_GLOBAL), /expected the names of a module/],
    [join(integer(1), text('system'), op.STACK_GLOBAL), /expected the names of a module/],
    [global('allowed.pair', '__class__'), /found allowed\.pair\.__class__/],
    [global('torch.serialization', 'load'), /found torch\.serialization\.load/],
    [global('', ''), /found \.$/],
    [global('a\x1b[2J', 'b'), /found "a\\u001b\[2J\.b"/],
    [global('x'.repeat(1000), 'b'), /found "x{79}…$/],
    [global('constructor', 'prototype'), /found constructor\.prototype/],
    [bytesOf('(S"true"\nios\nsystem\n'), /found "S" \(83\)/],
    [bytesOf('(ios\nsystem\n'), /an operation that checkpoints need, found "i" \(105\)/],
    [bytesOf('(cos\nsystem\no'), /found os\.system/],
    [bytesOf('\x82\x01'), /found "\x82" \(130\)/],
  ];
  for (const [bytes, expected] of imports) checkRefused(() => read(pickle(bytes)), expected);
});

test('only what is on the list as a function is called', () => {
  checkRefused(
    () => read(pickle(call(text('os.system'), text('true')))),
    /can be called, found a string/,
  );
  checkRefused(
    () => read(pickle(call(global('allowed', 'constant')))),
    /called, found allowed\.constant/,
  );
  checkRefused(() => read(pickle(call(call(thing)))), /called, found an object of allowed\.Thing/);
  checkRefused(() => read(pickle(op.EMPTY_DICT, tuple(), op.REDUCE)), /called, found a dict/);
  checkRefused(
    () => read(pickle(thing, op.EMPTY_DICT, op.REDUCE)),
    /expected arguments, found a dict/,
  );
});

test('only objects have a state, and one', () => {
  checkRefused(
    () => read(pickle(op.EMPTY_LIST, op.EMPTY_DICT, op.BUILD)),
    /has a state, found a list/,
  );
  checkRefused(
    () => read(pickle(thing, op.EMPTY_DICT, op.BUILD)),
    /has a state, found allowed\.Thing/,
  );
  const state = join(op.EMPTY_DICT, op.BUILD);
  checkRefused(() => read(pickle(call(thing), state, state)), /expected one state of an object/);
  assert.deepEqual(read(pickle(dict(['a', op.NONE]), state)), new Map([['a', null]]));
});

test('a machine without what an operation needs stops with the place', () => {
  const broken: readonly [PickleBytes, RegExp][] = [
    [[], /byte 2: expected one value at the end, found 0/],
    [join(op.NONE, op.NONE), /expected one value at the end, found 2/],
    [join(op.NONE, op.MARK), /expected one value at the end/],
    [op.TUPLE, /byte 2: expected a mark, found none/],
    [op.APPENDS, /expected a mark/],
    [join(op.NONE, op.TUPLE2), /byte 3: expected 2 values on the stack, found 1/],
    [join(op.NONE, op.MARK, op.TUPLE1), /expected 1 values on the stack, found 0/],
    [join(op.NONE, op.NONE, op.APPEND), /expected a list, found None/],
    [join(op.EMPTY_DICT, op.NONE, op.APPEND), /expected a list, found a dict/],
    [join(op.EMPTY_LIST, op.NONE, op.NONE, op.SETITEM), /expected a dict, found a list/],
    [join(op.MARK, op.NONE, bytesOf('q\x00'), op.TUPLE, op.MARK, op.SETITEM), /on the stack/],
    [join(op.EMPTY_DICT, op.MARK, op.NONE, op.SETITEMS), /expected a value for each key/],
    [dict(['a', op.NONE], ['a', op.NONE]), /expected each key once, found "a" twice/],
    [bytesOf('h\x00'), /byte 2: expected a value in the memo, found none at 0/],
    [bytesOf('j\xff\xff\xff\xff'), /found none at 4294967295/],
    [bytesOf('q\x00'), /expected 1 values on the stack/],
    [op.BINPERSID, /expected 1 values on the stack/],
    [op.REDUCE, /expected 1 values on the stack/],
    [bytesOf('X\xff\xff\xff\xff'), /byte 2: expected 4294967295 more bytes, found 1/],
    [bytesOf('\x8d\xff\xff\xff\xff\xff\xff\xff\xff'), /more bytes, found 1/],
    [bytesOf('\x96\x00\x00\x00\x00\x00\x00\x00\x80'), /more bytes, found 1/],
    [bytesOf('\x8b\x00\x00\x10\x00'), /expected a number of at most 128 bytes, found 1048576/],
    [bytesOf('X\x01\x00\x00\x00\xff'), /expected text in UTF-8/],
    [bytesOf('cos'), /expected a line, found no end of it/],
    [bytesOf('N.N'), /expected the end of the pickle, found more/],
  ];
  for (const [bytes, expected] of broken) checkRefused(() => read(pickle(bytes)), expected);
});

test('other protocols and no pickles are refused', () => {
  for (const start of [[0x80, 0], [0x80, 1], [0x80, 6], [0x4e], [0x7d]]) {
    checkRefused(() => read(join(start, op.NONE, [0x2e])), /expected a pickle of protocol 2 to 5/);
  }
  checkRefused(() => read(new Uint8Array()), /expected 1 more bytes, found 0/);
});

test('a list may hold itself', () => {
  const found = read(pickle(bytesOf(']q\x00h\x00a')));
  assert.ok(Array.isArray(found) && found[0] === found);
});

test('a bomb of the memo makes no more values than it has operations', () => {
  const levels = Array.from({ length: 200 }, () => bytesOf('q\x00h\x00\x86'));
  const found = read(pickle(op.NONE, ...levels));
  assert.ok(Array.isArray(found) && found[0] === found[1], '2²⁰⁰ values for whoever walks them');
});

test('operations are counted', () => {
  const many = Buffer.alloc(maxOperations + 1, '(');
  checkRefused(() => read(pickle(many)), /expected at most 1000000 operations, found more/);
});

test('a pickle cut at any byte is malformed and nothing worse', () => {
  const values = [integer(7), float(1), text('abc'), call(thing), call(global('allowed', 'pair'))];
  const whole = pickle(dict(['a', tuple(...values)], ['b', join(text('x'), op.BINPERSID)]));
  assert.ok(read(whole) instanceof Map);
  for (let length = 0; length < whole.length; length += 1) {
    assert.throws(() => read(whole.subarray(0, length)), CheckpointFormatError, `${length} bytes`);
  }
  for (let i = 0; i < whole.length; i += 1) {
    for (let value = 0; value < 256; value += 1) {
      const changed = whole.slice();
      changed[i] = value;
      try {
        read(changed);
      } catch (error) {
        assert.ok(error instanceof CheckpointFormatError, `byte ${i} as ${value}: ${error}`);
      }
    }
  }
});
