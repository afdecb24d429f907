import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CheckpointFormatError,
  CheckpointUnsupportedError,
} from '../../../../server/base/errors.ts';
import { openBytes } from '../../../support/memoryByteSource.ts';
import {
  assembleSafetensors,
  storeTensor,
  writeSafetensors,
} from '../../../support/safetensorsWriter.ts';

const eightBytes = new Uint8Array(8);

function checkFormat(header: string, data: Uint8Array, expected: RegExp): void {
  assert.throws(
    () => openBytes(assembleSafetensors(header, data)),
    (error) => {
      assert.ok(error instanceof CheckpointFormatError, String(error));
      assert.match(error.message, expected);
      return true;
    },
    header,
  );
}

/** Two F32 elements, with some fields replaced. */
function entry(fields: object): string {
  const value = { dtype: 'F32', shape: [2], data_offsets: [0, 8], ...fields };
  return JSON.stringify({ 'layer.weight': value });
}

test('a well-formed file of the same shape is read', () => {
  assert.deepEqual(openBytes(assembleSafetensors(entry({}), eightBytes)).names(), ['layer.weight']);
  assert.deepEqual(openBytes(assembleSafetensors('{}', new Uint8Array())).names(), []);
  assert.deepEqual(openBytes(assembleSafetensors(`${entry({})}   \n`, eightBytes)).names(), [
    'layer.weight',
  ]);
});

test('the names come in the order of the data', () => {
  const header =
    '{"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]},' +
    '"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}';
  assert.deepEqual(openBytes(assembleSafetensors(header, eightBytes)).names(), ['a', 'b']);
});

test('fields that lie are told with the name of the tensor', () => {
  const lies: readonly [object, RegExp][] = [
    [{ shape: [3] }, /layer\.weight: expected 12 bytes for F32 \[3\], found 8/],
    [{ dtype: 'F16' }, /expected 4 bytes for F16/],
    [{ dtype: 'I64' }, /expected 16 bytes for I64/],
    [{ shape: [2 ** 53, 2 ** 53] }, /layer\.weight/],
    [{ shape: [2 ** 52, 2 ** 52] }, /layer\.weight: expected/],
    [{ shape: [-2] }, /layer\.weight: expected a shape, found \[-2\]/],
    [{ shape: [2.5] }, /expected a shape/],
    [{ shape: ['2'] }, /expected a shape/],
    [{ shape: 2 }, /expected a shape, found 2/],
    [{ shape: null }, /expected a shape/],
    [{ shape: Array(9).fill(1) }, /expected a shape/],
    [{ data_offsets: [0, 12] }, /layer\.weight/],
    [{ data_offsets: [8, 0] }, /data_offsets \[begin, end\], found \[8,0\]/],
    [{ data_offsets: [-8, 0] }, /data_offsets/],
    [{ data_offsets: [0.5, 8.5] }, /data_offsets/],
    [{ data_offsets: [0] }, /data_offsets/],
    [{ data_offsets: [0, 8, 8] }, /data_offsets/],
    [{ data_offsets: [1e300, 1e300] }, /data_offsets/],
    [{ data_offsets: [2 ** 52, 2 ** 52 + 8] }, /layer\.weight: expected data from 0/],
    [{ data_offsets: { 0: 0, 1: 8 } }, /data_offsets/],
    [{ dtype: 4 }, /expected a dtype, found 4/],
    [{ dtype: undefined }, /expected a dtype, found nothing/],
    [{ stride: [1] }, /layer\.weight: expected dtype, shape and data_offsets/],
  ];
  for (const [fields, expected] of lies) checkFormat(entry(fields), eightBytes, expected);
});

test('tensors that overlap, leave holes or end elsewhere than the file are refused', () => {
  const two = (first: readonly number[], second: readonly number[]) =>
    JSON.stringify({
      a: { dtype: 'F32', shape: [1], data_offsets: first },
      b: { dtype: 'F32', shape: [1], data_offsets: second },
    });
  checkFormat(two([0, 4], [0, 4]), eightBytes, /b: expected data from 4/);
  checkFormat(two([0, 4], [2, 6]), eightBytes, /b: expected data from 4/);
  checkFormat(two([0, 4], [8, 12]), new Uint8Array(12), /b: expected data from 4/);
  checkFormat(two([4, 8], [8, 12]), new Uint8Array(12), /a: expected data from 0/);
  checkFormat(two([0, 4], [4, 8]), new Uint8Array(12), /expected 8 bytes of data, found 12/);
  checkFormat(two([0, 4], [4, 8]), new Uint8Array(7), /b: expected data from 4 to at most 7/);
  checkFormat('{}', new Uint8Array(1), /expected 0 bytes of data, found 1/);
});

test('a header that is not a table of tensors is refused', () => {
  const tensor = '{"dtype":"F32","shape":[2],"data_offsets":[0,8]}';
  const broken: readonly [string, RegExp][] = [
    ['', /header in JSON/],
    ['[]', /header with tensors/],
    ['null', /header with tensors/],
    ['"a"', /header with tensors/],
    ['{"a":1}', /a: expected dtype, shape and data_offsets, found 1/],
    ['{"a":[]}', /a: expected dtype/],
    ['{"a":null}', /a: expected dtype/],
    [`{"a":${tensor},"a":${tensor}}`, /key "a" twice/],
    [`{"a":${tensor},"\\u0061":${tensor}}`, /key "a" twice/],
    ['{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"dtype":"F16"}}', /"dtype" twice/],
    ['{"a":{"dtype":"F32","shape":[[2]],"data_offsets":[0,8]}}', /nested deeper/],
    ['['.repeat(100_000), /nested deeper/],
    [`{"a":{"shape":[${'1,'.repeat(1_000_001)}1]}}`, /more than 1000000 values/],
    ['{"a', /a string without an end/],
    ['{"a\\', /a string without an end/],
    ['{"\\x":1}', /header in JSON/],
    ['{} {}', /header in JSON/],
    ['\uFEFF{}', /header in JSON/],
    ['{"__metadata__":1}', /__metadata__: expected texts/],
    ['{"__metadata__":{"a":1}}', /__metadata__: expected texts/],
    ['{"__metadata__":null}', /__metadata__: expected texts/],
  ];
  for (const [header, expected] of broken) checkFormat(header, eightBytes, expected);
});

test('a header that is not UTF-8 is refused', () => {
  const header = Buffer.concat([Buffer.from('{"'), Buffer.of(0xff), Buffer.from('":1}')]);
  assert.throws(() => openBytes(assembleSafetensors(header, eightBytes)), CheckpointFormatError);
});

test('a length of the header beyond the file or the limit allocates nothing', () => {
  for (const length of [3n, 9n, 100_000_001n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n]) {
    const bytes = assembleSafetensors('{}', new Uint8Array(), length);
    assert.throws(() => openBytes(bytes), CheckpointFormatError);
  }
});

test('a well-formed tensor of another type is told as not supported', () => {
  const cases: readonly [string, number][] = [
    ['I16', 4],
    ['U16', 4],
    ['F8_E4M3', 2],
    ['__proto__', 2],
  ];
  for (const [dtype, size] of cases) {
    const bytes = assembleSafetensors(entry({ dtype, data_offsets: [0, size] }), eightBytes);
    assert.throws(
      () => openBytes(bytes),
      (error) =>
        error instanceof CheckpointUnsupportedError &&
        /layer\.weight: expected/.test(error.message),
      dtype,
    );
  }
});

test('a file cut at any byte is malformed and nothing worse', () => {
  const whole = writeSafetensors(
    { a: storeTensor('F16', [2, 2], [1, 2, 3, 4]), b: storeTensor('F32', [1], [5]) },
    { format: 'pt' },
  );
  assert.deepEqual(openBytes(whole).names(), ['a', 'b']);
  for (let length = 0; length < whole.length; length += 1) {
    assert.throws(
      () => openBytes(whole.subarray(0, length)),
      CheckpointFormatError,
      `${length} bytes`,
    );
  }
});

test('a file with any byte changed is read or refused with an error of ours', () => {
  const whole = writeSafetensors({ a: storeTensor('F16', [2], [1, 2]) });
  for (let i = 0; i < whole.length; i += 1) {
    for (const value of [0, 0x22, 0x2d, 0x5c, 0x7b, 0xff]) {
      const changed = whole.slice();
      changed[i] = value;
      try {
        const dict = openBytes(changed);
        for (const name of dict.names()) dict.read(name);
      } catch (error) {
        const isOurs =
          error instanceof CheckpointFormatError || error instanceof CheckpointUnsupportedError;
        assert.ok(isOurs, `byte ${i} as ${value}: ${error}`);
      }
    }
  }
});
