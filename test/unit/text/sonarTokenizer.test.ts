import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  CheckpointFormatError,
  CheckpointUnsupportedError,
  InvalidRequestError,
} from '../../../server/base/errors.ts';
import { SentencePieceModel } from '../../../server/text/sentencePieceModel.ts';
import { SonarTokenizer } from '../../../server/text/sonarTokenizer.ts';
import { makeLines } from '../../support/sentencePieceLines.ts';
import {
  buildModel,
  type PieceSpec,
  readFixture,
  specialPieces,
} from '../../support/sentencePieceModels.ts';

const langs = ['fra_Latn', 'eng_Latn', 'engl_Cyrl'];
const bytes = readFixture('bpe');
const model = SentencePieceModel.fromBytes(bytes, 'bpe.model');
const tokenizer = SonarTokenizer.fromBytes(bytes, langs);

function withPieces(pieces: readonly PieceSpec[], known: readonly string[]): SonarTokenizer {
  return SonarTokenizer.fromBytes(buildModel({ pieces }), known);
}

test('ids are those of SentencePiece and one, and the rest stands around them', () => {
  for (const line of makeLines(100, 3)) {
    const ids = model.encode(line).map((id) => id + 1);
    assert.deepEqual(tokenizer.encodeSource(line, 'eng_Latn'), [2002, ...ids, 3]);
    assert.deepEqual(tokenizer.encodeTarget(line, 'eng_Latn'), [3, 2002, ...ids, 3]);
    assert.deepEqual(tokenizer.encodePieces(line, 'eng_Latn'), {
      ids: [2002, ...ids, 3],
      pieces: ['__eng_Latn__', ...model.encodePieces(line).pieces, '</s>'],
    });
  }
});

test('what was encoded decodes to what SentencePiece decodes', () => {
  for (const line of makeLines(100, 4)) {
    const expected = model.decode(model.encode(line));
    assert.equal(tokenizer.decode(tokenizer.encodeSource(line, 'fra_Latn')), expected);
    assert.equal(tokenizer.decode(tokenizer.encodeTarget(line, 'fra_Latn')), expected);
  }
});

test('an empty text is its language and </s>', () => {
  assert.deepEqual(tokenizer.encodeSource('', 'fra_Latn'), [2001, 3]);
});

test('languages and data tags follow the pieces', () => {
  assert.deepEqual(
    langs.map((lang) => tokenizer.langId(lang)),
    [2001, 2002, 2003],
  );
  assert.equal(tokenizer.vocabSize, 2000 + 1 + 3 + 3);
  assert.deepEqual(tokenizer.langs, langs);
  assert.deepEqual(tokenizer.prompt('eng_Latn'), [3, 2002]);
});

test('a model of the size of the official one has the official ids', () => {
  const pieces = Array.from({ length: 255_997 }, (_, index) => ({ piece: `p${index}` }));
  const official = withPieces(
    [...specialPieces, ...pieces],
    Array.from({ length: 202 }, (_, index) => `l${String(index).padStart(2, '0')}_Latn`),
  );
  assert.equal(official.vocabSize, 256_206);
  assert.equal(official.langId('l00_Latn'), 256_001);
  assert.equal(official.langId('l46_Latn'), 256_047);
  assert.equal(official.langId('l201_Latn'), 256_202);
});

test('special tokens never come from text, and decode to nothing', () => {
  const special = ['<s>', '</s>', '<unk>', '<pad>', '__eng_Latn__', '<MINED_DATA>'];
  for (const text of special) {
    const ids = tokenizer.encodeSource(text, 'eng_Latn').slice(1, -1);
    assert.ok(
      ids.every((id) => id === 1 || (id > 3 && id <= 2000)),
      text,
    );
  }
  for (const id of [0, 2, 3, 2001, 2002, 2003, 2004, 2005, 2006]) {
    assert.equal(tokenizer.decode([id]), '');
  }
  assert.equal(tokenizer.decode([1]), ' \u2047 ');
});

describe('refused', () => {
  function checkRefused(lang: string, message: RegExp): void {
    const isRight = (error: unknown) =>
      error instanceof InvalidRequestError && message.test(error.message);
    assert.throws(() => tokenizer.langId(lang), isRight);
    assert.throws(() => tokenizer.encodeSource('a', lang), isRight);
    assert.throws(() => tokenizer.prompt(lang), isRight);
  }

  test('an unknown language, with the ones it may have meant', () => {
    checkRefused('eng', /"eng": expected one of 3 known ones, such as eng_Latn, engl_Cyrl$/);
    checkRefused('ENG_latn', /such as eng_Latn/);
    checkRefused('deu_Latn', /language "deu_Latn": expected one of 3 known ones$/);
    checkRefused('', /language "": expected one of 3 known ones$/);
    checkRefused('__proto__', /language "__proto__"/);
    checkRefused('x'.repeat(1000), /language "x{40}…"/);
  });

  test('an id that no token has', () => {
    for (const id of [-1, tokenizer.vocabSize, 1.5, Number.NaN]) {
      assert.throws(() => tokenizer.decode([id]), InvalidRequestError);
    }
  });

  test('a language that is listed twice', () => {
    assert.throws(() => withPieces(specialPieces, ['a_B', 'a_B']), CheckpointFormatError);
  });

  test('a model that begins with other pieces', () => {
    const [unk, bos, eos] = specialPieces as [PieceSpec, PieceSpec, PieceSpec];
    for (const pieces of [[unk], [unk, eos, bos], [bos, unk, eos], [unk, bos, { piece: '</s>' }]]) {
      assert.throws(() => withPieces(pieces, langs), CheckpointUnsupportedError);
    }
    const fixture = readFixture('unigramCustom');
    assert.throws(() => SonarTokenizer.fromBytes(fixture, langs), CheckpointUnsupportedError);
  });
});
