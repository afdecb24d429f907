import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  CheckpointFormatError,
  CheckpointUnsupportedError,
} from '../../../../server/base/errors.ts';
import { openStateDict } from '../../../../server/compiler/checkpoint/stateDict.ts';
import { openBytes } from '../../../support/memoryByteSource.ts';
import { dict, pickle } from '../../../support/pickleWriter.ts';
import { checkRefused } from '../../../support/refused.ts';
import {
  type StoredType,
  storeTensor,
  writeSafetensors,
} from '../../../support/safetensorsWriter.ts';
import {
  rebuiltTensor,
  storageId,
  torchArchive,
  torchCheckpoint,
  writtenTensor,
} from '../../../support/torchWriter.ts';

const goldenFolder = join('test', 'golden', 'torch');

interface GoldenTensor {
  dtype: string;
  shape: readonly number[];
  values: readonly number[];
}

const golden: Readonly<Record<string, Readonly<Record<string, GoldenTensor>>>> = JSON.parse(
  readFileSync(join(goldenFolder, 'golden.json'), 'utf8'),
);

for (const [file, tensors] of Object.entries(golden)) {
  test(`${file} holds what torch put into it`, () => {
    const dict = openStateDict(join(goldenFolder, file));
    assert.deepEqual(dict.names(), Object.keys(tensors));
    for (const [name, { dtype, shape, values }] of Object.entries(tensors)) {
      assert.equal(dict.type(name), dtype, name);
      assert.deepEqual(dict.shape(name), shape, name);
      assert.deepEqual(dict.read(name), Float32Array.from(values), name);
    }
    dict.dispose();
  });
}

test('rows of any view are part of the whole', () => {
  for (const file of ['views.pt', 'types.pt']) {
    const dict = openStateDict(join(goldenFolder, file));
    for (const name of dict.names()) {
      const [numRows, ...rowShape] = dict.shape(name);
      if (numRows === undefined) continue;
      const rowSize = rowShape.reduce((product, size) => product * size, 1);
      const whole = dict.read(name);
      for (let first = 0; first < numRows; first += 1) {
        for (const count of [0, 1, numRows - first]) {
          const expected = whole.subarray(first * rowSize, (first + count) * rowSize);
          assert.deepEqual(dict.readRows(name, first, count), expected, name);
        }
      }
    }
    dict.dispose();
  }
});

const refused: Readonly<Record<string, [new (message: string) => Error, RegExp]>> = {
  legacy: [CheckpointUnsupportedError, /a bare pickle; save it anew with torch\.save/],
  torchscript: [CheckpointUnsupportedError, /TorchScript archive; save it anew with/],
  sparse: [CheckpointUnsupportedError, /weight: expected a dense tensor.*_rebuild_sparse_tensor/],
  csr: [CheckpointUnsupportedError, /weight: expected a dense tensor.*_rebuild_sparse/],
  quantized: [CheckpointUnsupportedError, /weight: expected a dense tensor.*_rebuild_qtensor/],
  channels: [CheckpointUnsupportedError, /weight: expected a dense tensor.*_rebuild_qtensor/],
  meta: [CheckpointUnsupportedError, /weight: expected a dense tensor.*_rebuild_meta/],
  float8: [CheckpointUnsupportedError, /weight: expected a dense tensor.*_rebuild_tensor_v3/],
  complex: [CheckpointUnsupportedError, /weight: expected .*torch\.ComplexFloatStorage/],
  int16: [CheckpointUnsupportedError, /weight: expected .*torch\.ShortStorage/],
  module: [CheckpointFormatError, /data\.pkl: byte \d+: .* torch\.nn\.modules\.linear\.Linear/],
};

for (const [kind, [kindOfError, message]] of Object.entries(refused)) {
  test(`${kind}: what torch can save and no model needs is refused by name`, () => {
    const file = join(goldenFolder, `refused.${kind}.pt`);
    checkRefused(() => openStateDict(file), message, kindOfError);
  });
}

const storedTypes = {
  F64: 'float64',
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
  I64: 'int64',
  I32: 'int32',
  U8: 'uint8',
  BOOL: 'bool',
} as const;

test('a torch file equals the safetensors file of the same tensors', () => {
  const stored = Object.keys(storedTypes).map((type, index) => {
    const values = Array.from({ length: 2 * (index + 1) }, (_, i) => (i * 3) % 2);
    return [`layer.${type}`, storeTensor(type as StoredType, [2, index + 1], values)] as const;
  });
  const expected = openBytes(writeSafetensors(Object.fromEntries(stored)));
  const written = stored.map(([name, { type, shape, bytes }]) =>
    writtenTensor(name, storedTypes[type], shape, bytes),
  );
  for (const nest of ['model', 'state_dict', 'model_state_dict', null]) {
    for (const zip64 of [false, true]) {
      const found = openBytes(torchCheckpoint(written, { nest, zip64, comment: 'PK\x05\x06' }));
      assert.deepEqual(found.names(), expected.names());
      for (const name of expected.names()) {
        assert.equal(found.type(name), expected.type(name));
        assert.deepEqual(found.shape(name), expected.shape(name));
        assert.deepEqual(found.read(name), expected.read(name));
        assert.deepEqual(found.readRows(name, 1, 1), expected.readRows(name, 1, 1));
      }
    }
  }
});

const oneWeight = pickle(
  dict(['w', rebuiltTensor(storageId('FloatStorage', '0', 1), 0, [1], [1])]),
);

test('layouts of other machines, of the future and of none are refused', () => {
  const archive = (options: object) =>
    openBytes(torchArchive(oneWeight, { 0: new Uint8Array(4) }, options));
  assert.deepEqual(archive({ version: '10' }).names(), ['w']);
  checkRefused(
    () => archive({ byteorder: 'big' }),
    /byteorder: expected little-endian numbers, found big-endian ones/,
    CheckpointUnsupportedError,
  );
  checkRefused(
    () => archive({ byteorder: 'middle' }),
    /byteorder: expected "little", found "middle"/,
  );
  checkRefused(
    () => archive({ byteorder: 'x'.repeat(65) }),
    /byteorder: expected at most 64 bytes/,
  );
  checkRefused(() => archive({ version: '' }), /version: expected a number, found ""/);
  checkRefused(() => archive({ version: 'three' }), /version: expected a number, found "three"/);
  checkRefused(
    () => archive({ version: '11' }),
    /version: expected 1 to 10, found 11/,
    CheckpointUnsupportedError,
  );
});

/** Changes of one byte that a file is tried with. */
const changes = [0x00, 0x01, 0x2e, 0x52, 0x7f, 0x80, 0xff];

function smallFile(): Uint8Array {
  return torchCheckpoint(
    [
      writtenTensor('a', 'float16', [2], new Uint8Array(4)),
      writtenTensor('b', 'float32', [1], new Uint8Array(4)),
    ],
    { zip64: true },
  );
}

test('a file cut at any byte is malformed and nothing worse', () => {
  const whole = smallFile();
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
  const whole = smallFile();
  for (let i = 0; i < whole.length; i += 1) {
    for (const value of changes) {
      const changed = Uint8Array.from(whole);
      changed[i] = value;
      try {
        const found = openBytes(changed);
        for (const name of found.names()) found.read(name);
      } catch (error) {
        const isOurs =
          error instanceof CheckpointFormatError || error instanceof CheckpointUnsupportedError;
        assert.ok(isOurs, `byte ${i} as ${value}: ${error}`);
      }
    }
  }
});
