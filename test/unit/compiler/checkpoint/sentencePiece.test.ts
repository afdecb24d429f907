import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CheckpointFormatError } from '../../../../server/base/errors.ts';
import {
  countPieces,
  readPieceTexts,
} from '../../../../server/compiler/checkpoint/sentencePiece.ts';
import { buildModel, specialPieces } from '../../../support/sentencePieceModels.ts';

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

const utf8 = (text: string) => [...new TextEncoder().encode(text)];

test('pieces are what they write; unknown, control and byte pieces write nothing by name', () => {
  const bytes = buildModel({
    pieces: [
      ...specialPieces,
      { piece: '▁the' },
      { piece: 'も🙂', type: 1 },
      { piece: '<mask>', type: 4 },
      { piece: 'rare', type: 5 },
      { piece: '<0x41>', type: 6 },
      { piece: '\ufeff' },
    ],
  });
  const texts = [null, null, null, '▁the', 'も🙂', '<mask>', 'rare', null, '\ufeff'];
  assert.deepEqual(readPieceTexts(bytes, 'm'), texts);
  // The last of several fields counts, and others are walked over.
  const changed = [0x0a, 1, 0x61, 0x18, 3, 0x15, 0, 0, 0, 0, 0x18, 1, 0x0a, 1, 0x62];
  assert.deepEqual(readPieceTexts(Uint8Array.from([0x0a, changed.length, ...changed]), 'm'), ['b']);
});

test('a broken piece is told by its number', () => {
  const texts = (piece: readonly number[]) =>
    readPieceTexts(Uint8Array.from([0x0a, 3, 0x0a, 1, 0x61, 0x0a, piece.length, ...piece]), 'm');
  assert.deepEqual(texts([0x0a, 2, ...utf8('é')]), ['a', 'é']);
  const broken: readonly (readonly number[])[] = [
    [0x0a, 9, 0x61],
    [0x0a, 1, 0xe9],
    [0x0a, 3, 0xed, 0xa0, 0x80],
    [0x18],
    [0x18, 0x80],
    [0x0b, 0],
  ];
  for (const piece of broken) {
    assert.throws(
      () => texts(piece),
      (error) => {
        assert.ok(error instanceof CheckpointFormatError);
        assert.match(error.message, /^m: pieces\[1\]: expected/);
        return true;
      },
    );
  }
  assert.throws(
    () => readPieceTexts(Uint8Array.of(0x08, 1), 'm'),
    /pieces\[0\]: expected a message/,
  );
});
