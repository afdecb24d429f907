import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { AssertionError, CheckpointFormatError } from '../../../../server/base/errors.ts';
import { openStateDict } from '../../../../server/compiler/checkpoint/stateDict.ts';
import { openBytes } from '../../../support/memoryByteSource.ts';
import {
  type StoredTensor,
  storeTensor,
  writeSafetensors,
} from '../../../support/safetensorsWriter.ts';

const folder = mkdtempSync(join(tmpdir(), 'thoughtline-'));
after(() => rmSync(folder, { recursive: true }));

function check(tensors: Record<string, StoredTensor>, expected: Record<string, number[]>): void {
  const file = join(folder, 'model.safetensors');
  const bytes = writeSafetensors(tensors, { format: 'pt' });
  writeFileSync(file, bytes);
  for (const dict of [openStateDict(file), openBytes(bytes)]) {
    assert.deepEqual(dict.names(), Object.keys(tensors));
    for (const [name, values] of Object.entries(expected)) {
      assert.deepEqual(dict.shape(name), tensors[name]?.shape);
      assert.deepEqual(dict.read(name), Float32Array.from(values), name);
      assert.ok(dict.has(name) && !dict.has(`${name}.`));
    }
    dict.dispose();
  }
}

test('what was written is read, whatever the type', () => {
  const values = [0, -0.5, 1.5, 1024, -3, 2 ** -14];
  for (const type of ['F32', 'F16', 'BF16'] as const) {
    check({ a: storeTensor(type, [2, 3], values) }, { a: values });
  }
  check({ a: storeTensor('I64', [3], [0, -7, 2 ** 40]) }, { a: [0, -7, 2 ** 40] });
});

test('float16 and bfloat16 of a tensor are its float32, rounded', () => {
  const values = Float32Array.from({ length: 1000 }, (_, i) => Math.sin(i) * 0.9 + 1);
  const read = (type: 'F16' | 'BF16') =>
    openBytes(writeSafetensors({ a: storeTensor(type, [1000], values) })).read('a');
  const float16 = read('F16');
  const bfloat16 = read('BF16');
  for (const [i, value] of values.entries()) {
    assert.ok(Math.abs((float16[i] ?? 0) - value) <= value * 2 ** -11, 'half of 2⁻¹⁰');
    assert.ok(Math.abs((bfloat16[i] ?? 0) - value) <= value * 2 ** -8, 'half of 2⁻⁷');
  }
});

test('tensors of one file have different types and no alignment', () => {
  check(
    {
      a: storeTensor('F16', [1], [1]),
      b: storeTensor('F32', [2], [2, 3]),
      c: storeTensor('I64', [1], [4]),
      d: storeTensor('BF16', [3], [5, 6, 7]),
    },
    { a: [1], b: [2, 3], c: [4], d: [5, 6, 7] },
  );
});

test('rows are part of the whole, whatever the type', () => {
  const values = Array.from({ length: 24 }, (_, i) => i - 12);
  for (const type of ['F32', 'F16', 'BF16', 'I64'] as const) {
    const bytes = writeSafetensors({
      other: storeTensor('F16', [1], [0]),
      a: storeTensor(type, [4, 3, 2], values),
    });
    const dict = openBytes(bytes);
    for (let first = 0; first <= 4; first += 1) {
      for (let count = 0; first + count <= 4; count += 1) {
        const expected = dict.read('a').subarray(first * 6, (first + count) * 6);
        assert.deepEqual(dict.readRows('a', first, count), expected);
      }
    }
    assert.throws(() => dict.readRows('a', 2, 3), AssertionError);
  }
});

test('the type is told', () => {
  const types = { F32: 'float32', F16: 'float16', BF16: 'bfloat16', I64: 'int64' } as const;
  for (const [type, expected] of Object.entries(types)) {
    const bytes = writeSafetensors({ a: storeTensor(type as keyof typeof types, [1], [1]) });
    assert.equal(openBytes(bytes).type('a'), expected);
  }
});

test('scalars and empty tensors are tensors', () => {
  check(
    { scalar: storeTensor('F32', [], [8]), none: storeTensor('F16', [0, 4], []) },
    { scalar: [8], none: [] },
  );
});

test('a tensor over several chunks equals its elements', () => {
  const values = Array.from({ length: 300_001 }, (_, i) => i % 2048);
  check({ a: storeTensor('F16', [300_001], values) }, { a: values });
});

test('any name is a name', () => {
  for (const name of ['__proto__', 'constructor', 'ä.weight', '"', '']) {
    check({ [name]: storeTensor('F32', [1], [1]) }, { [name]: [1] });
  }
});

test('a file that shrinks after it was opened is told by name', () => {
  const file = join(folder, 'shrinking.safetensors');
  const bytes = writeSafetensors({ a: storeTensor('F32', [4], [1, 2, 3, 4]) });
  writeFileSync(file, bytes);
  const dict = openStateDict(file);
  truncateSync(file, bytes.length - 4);
  assert.throws(() => dict.read('a'), CheckpointFormatError);
  dict.dispose();
});

test('a missing file and a folder are no checkpoints', () => {
  assert.throws(() => openStateDict(join(folder, 'absent')), CheckpointFormatError);
  assert.throws(() => openStateDict(folder), CheckpointFormatError);
});

test('tied tensors share their bytes; views of them and equal copies do not', () => {
  const views = openStateDict('test/golden/torch/views.pt');
  assert.ok(views.shares('whole', 'tied'));
  for (const name of views.names()) {
    assert.equal(views.shares('whole', name), name === 'whole' || name === 'tied', name);
  }
  views.dispose();
  const copies = { a: storeTensor('F32', [2], [1, 2]), b: storeTensor('F32', [2], [1, 2]) };
  assert.ok(!openBytes(writeSafetensors(copies)).shares('a', 'b'));
});
