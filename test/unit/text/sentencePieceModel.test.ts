import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { SentencePieceProcessor } from 'sentencepiece-js';
import { InvalidRequestError } from '../../../server/base/errors.ts';
import { SentencePieceModel } from '../../../server/text/sentencePieceModel.ts';
import { makeLines, readLines } from '../../support/sentencePieceLines.ts';
import {
  buildCharsmap,
  buildModel,
  bytePieces,
  type FixtureName,
  fixtureNames,
  readFixture,
  sentencePieceFolder,
  specialPieces,
} from '../../support/sentencePieceModels.ts';

interface Golden {
  exotic: string[];
  models: Record<
    FixtureName,
    {
      ids: number[][];
      pieceDigests: string[];
      lineDigests: string[];
      decoded: [number[], string][];
    }
  >;
  normalizedBlocks: Record<string, string>;
}

const golden: Golden = JSON.parse(readFileSync(join(sentencePieceFolder, 'golden.json'), 'utf8'));

function loadFixture(name: FixtureName): SentencePieceModel {
  return SentencePieceModel.fromBytes(readFixture(name), `${name}.model`);
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Loads a model into SentencePiece itself, which reads from a path. */
async function loadOracle(name: FixtureName): Promise<SentencePieceProcessor> {
  const folder = mkdtempSync(join(tmpdir(), 'sentencepiece-'));
  try {
    const path = join(folder, `${name}.model`);
    writeFileSync(path, readFixture(name));
    const oracle = new SentencePieceProcessor();
    const events = ['uncaughtException', 'unhandledRejection'];
    const before = events.flatMap((event) => process.listeners(event as 'uncaughtException'));
    await oracle.load(path);
    // Emscripten adds handlers to the process that would take errors of other tests.
    for (const event of events) {
      for (const listener of process.listeners(event as 'uncaughtException')) {
        if (!before.includes(listener)) process.removeListener(event, listener);
      }
    }
    return oracle;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('equal to SentencePiece in WebAssembly', () => {
  const lines = makeLines(5000, 1);
  for (const name of fixtureNames) {
    test(`${name}: ${lines.length} lines in many scripts, there and back`, async () => {
      const model = loadFixture(name);
      const oracle = await loadOracle(name);
      for (const line of lines) {
        const { ids, pieces } = model.encodePieces(line);
        const message = JSON.stringify(line);
        assert.deepEqual(ids, oracle.encodeIds(line), message);
        assert.deepEqual(pieces, oracle.encodePieces(line), message);
        assert.equal(model.decode(ids), oracle.decodeIds(ids), message);
      }
    });
  }
});

describe('equal to SentencePiece in Python', () => {
  for (const name of fixtureNames) {
    const expected = golden.models[name];

    test(`${name}: exotic lines`, () => {
      const model = loadFixture(name);
      for (const [index, text] of golden.exotic.entries()) {
        const { ids, pieces } = model.encodePieces(text);
        assert.deepEqual(ids, expected.ids[index], JSON.stringify(text));
        const pieceDigest = digest(pieces.join('\n')).slice(0, 8);
        assert.equal(pieceDigest, expected.pieceDigests[index], JSON.stringify(text));
      }
    });

    test(`${name}: written lines`, () => {
      const model = loadFixture(name);
      for (const [index, line] of readLines().entries()) {
        const found = digest(JSON.stringify(model.encode(line))).slice(0, 8);
        assert.equal(found, expected.lineDigests[index], line);
      }
    });

    test(`${name}: decoding of random ids, special and byte pieces among them`, () => {
      const model = loadFixture(name);
      for (const [ids, text] of expected.decoded) {
        assert.equal(model.decode(ids), text, JSON.stringify(ids));
      }
    });
  }

  for (const [fixture, blocks] of Object.entries(golden.normalizedBlocks)) {
    test(`${fixture}: normalisation of every code point below U+30000`, () => {
      const model = loadFixture(fixture as FixtureName);
      for (let block = 0; block < 0x300; block++) {
        let normalized = '';
        for (let point = block * 256; point < block * 256 + 256; point++) {
          if (point >= 0xd800 && point <= 0xdfff) continue;
          normalized += `${model.normalize(`a${String.fromCodePoint(point)}b`)}\n`;
        }
        const expected = blocks.slice(block * 6, block * 6 + 6);
        const name = `block of U+${(block * 256).toString(16)}`;
        assert.equal(digest(normalized).slice(0, 6), expected, name);
      }
    });
  }
});

describe('on its own', () => {
  const bpe = loadFixture('bpe');

  test('a lone surrogate counts as U+FFFD', () => {
    for (const [text, wellFormed] of [
      ['a\ud800b', 'a\ufffdb'],
      ['\udc00', '\ufffd'],
      ['x\ud83d', 'x\ufffd'],
    ] as const) {
      for (const name of fixtureNames) {
        const model = loadFixture(name);
        assert.deepEqual(model.encodePieces(text), model.encodePieces(wellFormed));
      }
    }
  });

  test('a text seen before is encoded as the first time', () => {
    const lines = makeLines(200, 2);
    const fresh = lines.map((line) => bpe.encodePieces(line));
    assert.deepEqual(
      lines.map((line) => bpe.encodePieces(line)),
      fresh,
    );
  });

  test('a word of 20,000 characters is encoded', () => {
    for (const name of fixtureNames) {
      const model = loadFixture(name);
      const word = 'abcdefghij'.repeat(2000);
      assert.equal(
        model.decode(model.encode(word)).trim().length,
        model.normalize(word).replace(/\u2581/g, '').length,
      );
    }
  });

  test('pieces and ids belong together', () => {
    for (let id = 0; id < bpe.size; id++) assert.equal(bpe.pieceToId(bpe.idToPiece(id)), id);
    assert.equal(bpe.pieceToId('no such piece'), 0);
  });

  test('an id that is not there is refused', () => {
    for (const id of [-1, bpe.size, 0.5, Number.NaN]) {
      assert.throws(() => bpe.decode([id]), InvalidRequestError);
      assert.throws(() => bpe.idToPiece(id), InvalidRequestError);
    }
  });

  test('a control symbol of one character never comes from text', () => {
    for (const modelType of [1, 2]) {
      const pieces = [...specialPieces, { piece: '\u266a', type: 3 }, { piece: '\u2581' }];
      const model = SentencePieceModel.fromBytes(buildModel({ pieces, modelType }), 'm');
      assert.deepEqual(model.encode('\u266a'), [4, 0]);
    }
  });

  test('among pieces of equal score the leftmost pair is merged first', () => {
    const pieces = [...specialPieces, ...['\u2581', 'a', 'aa'].map((piece) => ({ piece }))];
    const model = SentencePieceModel.fromBytes(buildModel({ pieces }), 'm');
    assert.deepEqual(model.encodePieces('aaaaa').pieces, ['\u2581', 'aa', 'aa', 'a']);
  });

  test('bytes that are no character become U+FFFD one by one', () => {
    const pieces = [...specialPieces, ...bytePieces()];
    const model = SentencePieceModel.fromBytes(buildModel({ pieces, byteFallback: true }), 'm');
    const decode = (bytes: number[]) => model.decode(bytes.map((byte) => 3 + byte));
    assert.equal(decode([0xe2, 0x82, 0xac]), '\u20ac');
    assert.equal(decode([0xe2, 0x82]), '\ufffd\ufffd');
    assert.equal(decode([0xef, 0xbf, 0xbd]), '\ufffd');
    assert.equal(decode([0xed, 0xa0, 0x80, 0x41]), '\ufffd\ufffd\ufffdA');
    assert.equal(decode([0xf0, 0x9f, 0x9a, 0x80, 0xff]), '\u{1f680}\ufffd');
  });

  test('the denormaliser of a model is applied to what it decodes', () => {
    const pieces = [...specialPieces, { piece: '\u2581ab' }];
    const denormalizerCharsmap = buildCharsmap('b', 'B!');
    const model = SentencePieceModel.fromBytes(buildModel({ pieces, denormalizerCharsmap }), 'm');
    assert.equal(model.decode([3]), 'aB!');
  });
});
