import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CheckpointFormatError, CheckpointUnsupportedError } from '../../../server/base/errors.ts';
import { SentencePieceModel } from '../../../server/text/sentencePieceModel.ts';
import {
  buildCharsmap,
  buildModel,
  bytePieces,
  bytesField,
  concatBytes,
  floatField,
  type ModelSpec,
  readFixture,
  specialPieces,
  varintField,
} from '../../support/sentencePieceModels.ts';

function read(bytes: Uint8Array): SentencePieceModel {
  return SentencePieceModel.fromBytes(bytes, 'tokenizer.model');
}

const pieces = [...specialPieces, { piece: '\u2581a', score: -1 }, { piece: 'a', score: -2 }];
const valid = buildModel({ pieces, charsmap: buildCharsmap('b', 'a') });

/** The fields of a model around a piece message of one's own. */
function withPiece(piece: Uint8Array): Uint8Array {
  return concatBytes([buildModel({ pieces }), bytesField(1, piece)]);
}

/** A charsmap with some of its 32-bit numbers changed. */
function withUnits(changes: Record<number, number>): ModelSpec {
  const charsmap = buildCharsmap('b', 'a');
  const view = new DataView(charsmap.buffer);
  for (const [index, unit] of Object.entries(changes))
    view.setUint32(4 * Number(index), unit, true);
  return { pieces, charsmap };
}

test('a small model is read', () => {
  const model = read(valid);
  assert.equal(model.size, 5);
  assert.deepEqual(model.encodePieces('ab'), { ids: [3, 4], pieces: ['\u2581a', 'a'] });
});

test('unknown fields are skipped', () => {
  const extra = concatBytes([
    varintField(9, 7),
    floatField(10, 1),
    bytesField(300, new Uint8Array(5)),
    Uint8Array.of((11 << 3) | 1, 1, 2, 3, 4, 5, 6, 7, 8),
  ]);
  assert.deepEqual(read(buildModel({ pieces, extra })).encode('a'), [3]);
});

describe('a malformed model is refused by name', () => {
  const name = new TextEncoder().encode('b');
  const normal = { piece: 'x' };
  const cases: Record<string, [Uint8Array, RegExp]> = {
    empty: [new Uint8Array(0), /tokenizer\.model: found no pieces/],
    text: [new TextEncoder().encode('not a model at all'), /tokenizer\.model: /],
    'no pieces': [buildModel({ pieces: [] }), /found no pieces/],
    'no unknown piece': [buildModel({ pieces: [normal] }), /found no unknown piece/],
    'two unknown pieces': [
      buildModel({ pieces: [...pieces, { piece: '<unk2>', type: 2 }] }),
      /pieces\[5\]: expected one unknown piece, found pieces\[0\] too/,
    ],
    'a piece twice': [
      buildModel({ pieces: [...pieces, { piece: 'a' }] }),
      /pieces\[5\]: "a" is pieces\[4\] too/,
    ],
    'an empty piece': [buildModel({ pieces: [{ piece: '' }] }), /pieces\[0\]: expected a piece/],
    'a huge piece': [
      buildModel({ pieces: [{ piece: 'a'.repeat(5000) }] }),
      /pieces\[0\]: expected at most 4096 units, found 5000/,
    ],
    'an infinite score': [
      buildModel({ pieces: [{ piece: 'a', score: Number.POSITIVE_INFINITY }] }),
      /pieces\[0\]: score: expected a finite number, found Infinity/,
    ],
    'a score that is no number': [
      buildModel({ pieces: [{ piece: 'a', score: Number.NaN }] }),
      /pieces\[0\]: score: expected a finite number, found NaN/,
    ],
    'a score of another wire type': [
      withPiece(concatBytes([bytesField(1, name), varintField(2, 1)])),
      /pieces\[5\]: score: expected fixed32, found varint/,
    ],
    'an unknown piece type': [
      buildModel({ pieces: [{ piece: 'a', type: 7 }] }),
      /pieces\[0\]: type: expected 1 to 6, found 7/,
    ],
    'a piece that is a number': [
      concatBytes([varintField(1, 3), buildModel({ pieces })]),
      /pieces\[0\]: expected length-delimited, found varint/,
    ],
    'a piece that is not UTF-8': [
      withPiece(bytesField(1, Uint8Array.of(0xff))),
      /pieces\[5\]: piece: expected valid UTF-8/,
    ],
    'a length beyond the end': [
      concatBytes([buildModel({ pieces }), Uint8Array.of(0x0a, 0xff, 0xff, 0x7f)]),
      /field 1: expected 2097151 more bytes, found 0/,
    ],
    'an endless number': [
      concatBytes([Uint8Array.of(0x48), new Uint8Array(20).fill(0x80)]),
      /expected a number of at most 10 bytes/,
    ],
    'field 0': [Uint8Array.of(0x02, 0x00), /expected a field number, found 0/],
    'a group': [Uint8Array.of(0x4b), /field 9: expected wire type 0, 1, 2 or 5, found 3/],
    'no trainer_spec': [
      bytesField(1, concatBytes([bytesField(1, name), varintField(3, 2)])),
      /found no trainer_spec/,
    ],
    'an unknown model type': [
      buildModel({ pieces, modelType: 9 }),
      /trainer_spec: model_type: expected UNIGRAM \(1\) or BPE \(2\), found 9/,
    ],
    'byte pieces without byte fallback': [
      buildModel({ pieces: [...pieces, { piece: '<0x41>', type: 6 }] }),
      /pieces\[5\]: expected no byte without fallback, found "<0x41>"/,
    ],
    'a byte piece with another name': [
      buildModel({ pieces: [...pieces, { piece: '<0xGG>', type: 6 }], byteFallback: true }),
      /pieces\[5\]: expected <0x00> to <0xFF>, found "<0xGG>"/,
    ],
    'a missing byte piece': [
      buildModel({ pieces: [...pieces, ...bytePieces().slice(1)], byteFallback: true }),
      /byte_fallback: found no byte piece <0x00>/,
    ],
    'a short charsmap': [
      buildModel({ pieces, charsmap: Uint8Array.of(1, 2) }),
      /normalizer_spec: precompiled_charsmap: expected a trie of whole blocks within/,
    ],
    'a trie longer than the charsmap': [
      buildModel(withUnits({ 0: 1 << 20 })),
      /expected a trie of whole blocks within 2050 bytes, found 1048576 bytes/,
    ],
    'a trie that points outside': [
      buildModel(withUnits({ 1: 4096 << 10 })),
      /unit 0: expected children below 512, found 4096/,
    ],
    'a replacement outside': [
      buildModel(withUnits({ 257: 0x80000000 + 99 })),
      /unit 354: expected a leaf with the start of a replacement, found 99/,
    ],
    'a leaf that is none': [buildModel(withUnits({ 257: 0 })), /unit 354: expected a leaf/],
    'a replacement without end': [
      buildModel({ pieces, charsmap: buildCharsmap('b', 'a').slice(0, -1) }),
      /expected NUL after the last replacement|expected a trie/,
    ],
    'a huge replacement': [
      buildModel({ pieces, charsmap: buildCharsmap('b', 'a'.repeat(2000)) }),
      /replacement at 0: expected at most 1024 bytes, found 2000/,
    ],
  };
  for (const [title, [bytes, message]] of Object.entries(cases)) {
    test(title, () => {
      assert.throws(
        () => read(bytes),
        (error) => error instanceof CheckpointFormatError && message.test(error.message),
        `${message}`,
      );
    });
  }
});

test('models of other types are not supported', () => {
  for (const [modelType, name] of [
    [3, 'WORD'],
    [4, 'CHAR'],
  ] as const) {
    assert.throws(
      () => read(buildModel({ pieces, modelType })),
      (error) => error instanceof CheckpointUnsupportedError && error.message.includes(name),
    );
  }
});

test('a model cut at any byte is refused', () => {
  for (let length = 0; length < valid.length; length++) {
    assert.throws(() => read(valid.slice(0, length)), CheckpointFormatError, `${length} bytes`);
  }
});

test('a model with any byte changed is read or refused, and never hangs', () => {
  const original = readFixture('unigramCustom');
  for (let index = 0; index < original.length; index += 7) {
    const bytes = original.slice();
    bytes[index] = (bytes[index] as number) ^ 0xff;
    try {
      read(bytes).encodePieces('abc \u00e9 ... A\u0300\u0301 z');
    } catch (error) {
      const isOurs =
        error instanceof CheckpointFormatError || error instanceof CheckpointUnsupportedError;
      assert.ok(isOurs, `byte ${index}: ${error}`);
    }
  }
});

test('a charsmap that leads in circles ends', () => {
  // The unit of `b` leads back to the block that it stands in, so `bbb…` never leaves it.
  const circle = withUnits({ [1 + (256 ^ 98)]: (98 << 10) | 98 });
  const model = read(buildModel(circle));
  assert.equal(model.normalize('b'.repeat(5000)).length, 5001);
});
