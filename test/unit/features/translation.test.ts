import assert from 'node:assert/strict';
import { test } from 'node:test';
import { joinSentences, translateSentences } from '../../../server/features/translation.ts';
import { FakeInference } from '../../support/fakeInference.ts';

test('sentences are encoded in their own languages and written in another', async () => {
  const inference = new FakeInference();
  const sentences = [
    { text: 'Un.', lang: 'fra_Latn' },
    { text: 'Zwei!', lang: 'deu_Latn' },
  ];
  const options = { to: 'eng_Latn', beamSize: 2 };
  const translated = await translateSentences(inference, sentences, options);
  assert.deepEqual(
    translated.map(({ text }) => text),
    ['It has 3 letters.', 'It has 5 letters.'],
  );
  assert.deepEqual(inference.encodedLangs, [['fra_Latn', 'deu_Latn']]);
  assert.equal(inference.decoded[0]?.lang, 'eng_Latn');
  assert.equal(inference.decoded[0]?.beamSize, 2);
  assert.deepEqual(await translateSentences(inference, [], options), []);
  assert.equal(inference.encoded.length, 1);
});

test('one number that was changed into another is put back; what is lost is told', async () => {
  const options = { to: 'eng_Latn', beamSize: 1 };
  const sentences = [
    { text: 'Il y a 12 lettres.', lang: 'fra_Latn' },
    { text: 'De 12 à 13.', lang: 'fra_Latn' },
  ];
  const translated = await translateSentences(new FakeInference(), sentences, options);
  assert.deepEqual(
    translated.map(({ text, lost, invented }) => ({ text, lost, invented })),
    [
      { text: 'It has 12 letters.', lost: [], invented: [] },
      { text: 'It has 11 letters.', lost: ['12', '13'], invented: ['11'] },
    ],
  );
});

test('a long sentence is translated piece by piece where the model knows the entropy of bytes', async () => {
  const inference = new FakeInference();
  const text = 'word '.repeat(60).trim();
  const sentences = [
    { text: 'Un.', lang: 'fra_Latn' },
    { text, lang: 'fra_Latn' },
  ];
  const options = { to: 'eng_Latn', beamSize: 1, hasEntropies: true };
  const [short, long] = await translateSentences(inference, sentences, options);
  assert.equal(short?.text, 'It has 3 letters.');
  const pieces = inference.encoded[0] ?? [];
  assert.equal(pieces.slice(1).join(' '), text);
  assert.ok(pieces.length > 3 && pieces.every((piece) => piece.length <= 128));
  assert.equal(
    long?.text,
    pieces
      .slice(1)
      .map(({ length }) => `It has ${length} letters.`)
      .join(' '),
  );
});

test('many sentences are written in groups, and all of them', async () => {
  const inference = new FakeInference();
  const sentences = Array.from({ length: 40 }, (_, i) => ({ text: 'x'.repeat(i), lang: 'a' }));
  const translated = await translateSentences(inference, sentences, { to: 'b', beamSize: 1 });
  assert.equal(translated[39]?.text, 'It has 39 letters.');
  assert.deepEqual(
    inference.decoded.map(({ embeddings }) => embeddings.length),
    [16, 16, 8],
  );
  const aborted = AbortSignal.abort();
  const run = translateSentences(inference, sentences, { to: 'b', beamSize: 1 }, aborted);
  await assert.rejects(run, { name: 'AbortError' });
});

test('sentences are joined as their script does', () => {
  assert.equal(joinSentences(['A.', 'B.', 'C.'], [0, 0, 9], 'eng_Latn'), 'A. B.\n\nC.');
  assert.equal(joinSentences(['一。', '二。', '三。'], [0, 0, 9], 'zho_Hans'), '一。二。\n\n三。');
  assert.equal(joinSentences(['', 'B.', '', 'D.'], [0, 0, 0, 0], 'fra_Latn'), 'B. D.');
  assert.equal(joinSentences([], [], 'eng_Latn'), '');
});
