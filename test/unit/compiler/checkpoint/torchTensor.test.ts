import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openBytes } from '../../../support/memoryByteSource.ts';
import {
  call,
  dict,
  global,
  integer,
  integers,
  join,
  op,
  orderedDict,
  type PickleBytes,
  pickle,
  text,
  tuple,
} from '../../../support/pickleWriter.ts';
import { checkRefused } from '../../../support/refused.ts';
import { rebuiltTensor, storageId, torchArchive } from '../../../support/torchWriter.ts';

/** One storage of six float32. */
const storages = { 0: new Uint8Array(Float32Array.of(0, 1, 2, 3, 4, 5).buffer) };
const storage = storageId('FloatStorage', '0', 6);
const weight = rebuiltTensor(storage, 0, [2, 3], [3, 1]);

/** Opens a file whose state dict is, or has as its only weight, the given value. */
function open(value: PickleBytes) {
  return openBytes(torchArchive(pickle(value), storages));
}

function openWeight(value: PickleBytes) {
  return open(orderedDict(['w', value]));
}

test('a view inside its storage is read', () => {
  const views: readonly [number, number[], number[], number[]][] = [
    [0, [2, 3], [3, 1], [0, 1, 2, 3, 4, 5]],
    [0, [3, 2], [1, 3], [0, 3, 1, 4, 2, 5]],
    [5, [], [], [5]],
    [6, [0, 9], [9, 1], []],
    [1, [2, 2], [2, 2], [1, 3, 3, 5]],
    [2, [2, 2], [0, 0], [2, 2, 2, 2]],
    [0, [1, 6], [1000, 1], [0, 1, 2, 3, 4, 5]],
  ];
  for (const [offset, size, stride, expected] of views) {
    const found = openWeight(rebuiltTensor(storage, offset, size, stride));
    assert.deepEqual(found.shape('w'), size);
    assert.deepEqual(found.read('w'), Float32Array.from(expected));
  }
});

test('a view that leaves its storage is refused', () => {
  const huge = 2n ** 62n;
  const views: readonly [number | bigint, (number | bigint)[], (number | bigint)[], RegExp][] = [
    [0, [7], [1], /elements before 6, the end of the storage, found one at 6/],
    [1, [2, 3], [3, 1], /found one at 6/],
    [7, [1], [1], /found one at 7/],
    [0, [2, 3], [-3, 1], /strides of at most 8 numbers from 0 on, found \[-3, 1\]/],
    [5, [2], [-1], /strides of at most 8/],
    [-1, [1], [1], /expected an offset in a storage, found -1/],
    [huge, [1], [1], /expected an offset in a storage, found 4611686018427387904/],
    [0, [-1], [1], /a size of at most 8 numbers from 0 on, found \[-1\]/],
    [0, [2, 2], [1], /expected 2 strides, found 1/],
    [0, [2], [1, 1], /expected 1 strides, found 2/],
    [0, Array(9).fill(1), Array(9).fill(1), /a size of at most 8/],
    [0, [2 ** 31, 2 ** 31], [0, 0], /at most the 6 elements of the storage/],
    [0, [2 ** 40, 2 ** 40, 2 ** 40, 2 ** 40], [0, 0, 0, 0], /at most the 6 elements/],
    [0, [2 ** 24 + 1], [0], /at most the 6 elements of the storage, found \[16777217\]/],
    [0, [2], [2 ** 52], /found one at 4503599627370496/],
    [0, [2, 2], [2 ** 53 - 1, 2 ** 53 - 1], /found one at/],
    [0, [huge], [1], /a size of at most 8 numbers/],
    [0, [2], [huge], /strides of at most 8 numbers/],
  ];
  for (const [offset, size, stride, expected] of views) {
    checkRefused(() => openWeight(rebuiltTensor(storage, offset, size, stride)), expected);
  }
});

test('a storage that lies about its bytes is refused', () => {
  const lies: readonly [PickleBytes, RegExp][] = [
    [storageId('FloatStorage', '0', 7), /storage "0" with 7 elements of 4 bytes, found 24 bytes/],
    [storageId('FloatStorage', '0', 5), /with 5 elements of 4 bytes, found 24 bytes/],
    [storageId('FloatStorage', '0', -6), /number of elements/],
    [storageId('FloatStorage', '0', 2n ** 62n), /number of elements/],
    [storageId('HalfStorage', '0', 6), /with 6 elements of 2 bytes, found 24 bytes/],
    [storageId('DoubleStorage', '0', 6), /with 6 elements of 8 bytes, found 24 bytes/],
    [storageId('FloatStorage', '1', 6), /a storage of the archive, found "1"/],
    [storageId('FloatStorage', '../version', 6), /a storage of the archive/],
    [storageId('OtherStorage', '0', 6), /found torch\.OtherStorage/],
    [join(text('0'), op.BINPERSID), /expected \("storage", class, key, location, number/],
    [
      join(tuple(text('module'), global('torch', 'FloatStorage')), op.BINPERSID),
      /"storage", class/,
    ],
    [join(op.EMPTY_DICT, op.BINPERSID), /"storage", class.*found a dict/],
    [text('0'), /expected a storage, found a string/],
    [op.NONE, /expected a storage, found None/],
  ];
  for (const [id, expected] of lies) {
    checkRefused(() => openWeight(rebuiltTensor(id, 0, [1], [1])), expected);
  }
});

test('a storage has one type for all that share it', () => {
  const halves = rebuiltTensor(storageId('HalfStorage', '0', 12), 0, [1], [1]);
  checkRefused(
    () => open(dict(['a', weight], ['b', halves])),
    /storage "0" as before, found 12 elements of torch\.HalfStorage/,
  );
  const tied = open(dict(['a', weight], ['b', weight]));
  assert.deepEqual(tied.read('a'), tied.read('b'));
});

test('calls with other arguments than torch gives are refused', () => {
  const rebuild = global('torch._utils', '_rebuild_tensor_v2');
  const selfList = Buffer.from(']q\x09h\x09a', 'latin1');
  const calls: readonly [PickleBytes, RegExp][] = [
    [call(rebuild), /expected a storage, found nothing/],
    [call(rebuild, storage), /expected an offset in a storage, found nothing/],
    [call(rebuild, storage, integer(0)), /expected a size of at most 8/],
    [call(rebuild, storage, integer(0), integers([1])), /expected strides/],
    [call(rebuild, storage, selfList, integers([1]), integers([1])), /an offset in a storage/],
    [call(rebuild, storage, integer(0), selfList, integers([1])), /found \[a list or tuple\]/],
    [call(rebuild, storage, integer(0), text('11'), integers([1])), /a size .* found a string/],
    [call(global('torch._utils', '_rebuild_parameter'), text('x')), /the tensor of a parameter/],
    [call(global('torch', 'FloatStorage')), /can be called, found torch\.FloatStorage/],
    [join(weight, op.EMPTY_DICT, op.BUILD), /an object that has a state, found a TorchTensor/],
  ];
  for (const [value, expected] of calls) checkRefused(() => openWeight(value), expected);
});

test('a list that changes after it was a size changes no tensor', () => {
  const size = Buffer.from(']q\x09(K\x01K\x01e', 'latin1'); // [1, 1], in the memo
  const tensor = call(
    global('torch._utils', '_rebuild_tensor_v2'),
    ...[storage, integer(0), size, integers([1, 1]), op.NEWFALSE, op.NONE],
  );
  const grown = Buffer.from('h\x09(M\xff\xffe', 'latin1'); // [1, 1, 65535]
  assert.deepEqual(open(dict(['w', tensor], ['x', grown])).shape('w'), [1, 1]);
});
