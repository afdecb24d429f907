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
import {
  type StoredType,
  storeTensor,
  writeSafetensors,
} from '../../../support/safetensorsWriter.ts';
import { torchCheckpoint, writtenTensor } from '../../../support/torchWriter.ts';

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
    assert.throws(
      () => openStateDict(join(goldenFolder, `refused.${kind}.pt`)),
      (error) => {
        assert.ok(error instanceof kindOfError, String(error));
        assert.match(error.message, message);
        return true;
      },
    );
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
