import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IntegrityError } from '../../../server/base/errors.ts';
import { parseDirections } from '../../../server/inference/directions.ts';

function file(...values: number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  for (const [i, value] of values.entries()) view.setFloat32(4 * i, value, true);
  return bytes;
}

const parse = (bytes: Uint8Array, names: readonly string[]) =>
  parseDirections(bytes, names, { embeddingDim: 2, label: 'directions.bin' });

test('directions have their names, and a file need not be aligned in memory', () => {
  const shifted = new Uint8Array(17);
  shifted.set(file(0, 1, -1, 0), 1);
  assert.deepEqual(parse(shifted.subarray(1), ['shorter', 'longer']), {
    shorter: Float32Array.of(0, 1),
    longer: Float32Array.of(-1, 0),
  });
  assert.deepEqual(parse(file(), []), {});
});

test('a file of another size or with other lengths than 1 is refused by name', () => {
  const broken = [
    file(),
    file(0, 1),
    file(0, 1, 1, 0, 1),
    file(0, 1, 1, 0).subarray(1),
    file(0, 1, 0, 0),
    file(0, 1, 1, 0.1),
    file(0, 1, Number.NaN, 0),
    file(0, 1, Number.POSITIVE_INFINITY, 0),
    file(0, 1, 3e38, 3e38),
  ];
  for (const bytes of broken) {
    assert.throws(
      () => parse(bytes, ['shorter', 'longer']),
      (error) => error instanceof IntegrityError && error.message.startsWith('directions.bin: '),
    );
  }
});
