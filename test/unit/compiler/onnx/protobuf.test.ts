import assert from 'node:assert/strict';
import test from 'node:test';
import { ProtobufWriter } from '../../../../server/compiler/onnx/protobuf.ts';

function checkBytes(write: (writer: ProtobufWriter) => void, expected: readonly number[]): void {
  const writer = new ProtobufWriter();
  write(writer);
  assert.deepEqual([...writer.finish()], expected);
}

test('the examples of the encoding guide come out byte for byte', () => {
  checkBytes((w) => w.integer(1, 150), [0x08, 0x96, 0x01]);
  checkBytes((w) => w.string(2, 'testing'), [0x12, 7, ...Buffer.from('testing')]);
  checkBytes((w) => w.message(3, (inner) => inner.integer(1, 150)), [0x1a, 3, 0x08, 0x96, 0x01]);
});

test('integers take as many bytes as they need, negative ones ten', () => {
  checkBytes((w) => w.integer(1, 0), [8, 0]);
  checkBytes((w) => w.integer(1, 127), [8, 127]);
  checkBytes((w) => w.integer(1, 128), [8, 128, 1]);
  checkBytes((w) => w.integer(1, 2 ** 40), [8, 128, 128, 128, 128, 128, 32]);
  checkBytes((w) => w.integer(1, -1), [8, ...new Array(9).fill(255), 1]);
});

test('field numbers above 15 take two bytes', () => {
  checkBytes((w) => w.integer(20, 1), [0xa0, 0x01, 1]);
});

test('floats are little-endian', () => {
  checkBytes((w) => w.float(2, 1), [0x15, 0, 0, 0x80, 0x3f]);
});

test('messages nest and may be empty', () => {
  checkBytes(
    (w) => w.message(1, (a) => a.message(2, (b) => b.message(3, () => {}))),
    [0x0a, 4, 0x12, 2, 0x1a, 0],
  );
});
