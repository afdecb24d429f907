import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CheckpointFormatError } from '../../../../server/base/errors.ts';
import { countPieces } from '../../../../server/compiler/checkpoint/sentencePiece.ts';

/** pieces { piece: "a" }, twice, then trainer_spec, and fields of every wire type. */
const model = [
  ...[0x0a, 3, 0x0a, 1, 0x61],
  ...[0x0a, 3, 0x0a, 1, 0x62],
  ...[0x12, 2, 0x18, 2],
  ...[0x30, 0x81, 0x01],
  ...[0x3d, 0, 0, 0, 0],
  ...[0x41, 0, 0, 0, 0, 0, 0, 0, 0],
];

function count(bytes: readonly number[]): number {
  return countPieces(Uint8Array.from(bytes), 'tokenizer.model');
}

test('only the pieces of a model are counted', () => {
  assert.equal(count(model), 2);
});

test('a model cut inside a field is malformed', () => {
  const boundaries = [5, 10, 14, 17, 22, 31];
  for (let length = 0; length < model.length; length += 1) {
    if (boundaries.includes(length)) continue;
    assert.throws(() => count(model.slice(0, length)), CheckpointFormatError, `${length} bytes`);
  }
});

test('what is no model is told without allocating', () => {
  const broken: readonly (readonly number[])[] = [
    [],
    [0x12, 0],
    [0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
    [0x0a, ...Array<number>(11).fill(0x80)],
    [0x0b, 0],
    [0x0f, 0],
    [...Buffer.from('{"model": {}}')],
  ];
  for (const bytes of broken) assert.throws(() => count(bytes), CheckpointFormatError);
});
