import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SentenceConcepts } from '../../../server/features/sentenceConcepts.ts';
import { FakeInference } from '../../support/fakeInference.ts';

const inLang = (lang: string, ...texts: string[]) => texts.map((text) => ({ text, lang }));

test('the same words in another language are another sentence', async () => {
  const inference = new FakeInference();
  const concepts = new SentenceConcepts(inference);
  await concepts.concepts(inLang('eng_Latn', 'Chat.', 'Chat.', 'Pain.'));
  await concepts.concepts([...inLang('fra_Latn', 'Chat.'), ...inLang('eng_Latn', 'Pain.')]);
  await concepts.concepts(inLang('fra_Latn', 'Chat.', 'Pain.'));
  assert.deepEqual(inference.encoded, [['Chat.', 'Pain.'], ['Chat.'], ['Pain.']]);
  assert.deepEqual(inference.encodedLangs, [['eng_Latn', 'eng_Latn'], ['fra_Latn'], ['fra_Latn']]);
});

test('what is under way is waited for, in its own language only', async () => {
  const inference = new FakeInference();
  const concepts = new SentenceConcepts(inference);
  const [first, second, third] = await Promise.all([
    concepts.concepts(inLang('eng_Latn', 'Chat.')),
    concepts.concepts(inLang('eng_Latn', 'Chat.')),
    concepts.concepts(inLang('fra_Latn', 'Chat.')),
  ]);
  assert.deepEqual(inference.encodedLangs, [['eng_Latn'], ['fra_Latn']]);
  assert.equal(first[0]?.embedding, second[0]?.embedding);
  assert.notEqual(first[0]?.embedding, third[0]?.embedding);
});

test('concepts come in order, repeated ones too, and another model encodes anew', async () => {
  const inference = new FakeInference();
  const concepts = new SentenceConcepts(inference);
  const found = await concepts.concepts(inLang('eng_Latn', 'B.', 'Aa.', 'B.'));
  assert.deepEqual(
    found.map(({ text, embedding }) => [text, embedding[0]]),
    [
      ['B.', 2],
      ['Aa.', 3],
      ['B.', 2],
    ],
  );
  assert.deepEqual(await concepts.concepts([]), []);
  concepts.reset();
  await concepts.concepts(inLang('eng_Latn', 'B.'));
  assert.equal(inference.encoded.length, 2);
});
