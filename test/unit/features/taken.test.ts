import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nullLogger } from '../../../server/base/logger.ts';
import { LanguageChooser } from '../../../server/features/languageChoice.ts';
import { SentenceConcepts } from '../../../server/features/sentenceConcepts.ts';
import { takenAround } from '../../../server/features/taken.ts';
import { DocumentText } from '../../../server/text/documentText.ts';
import { FakeInference } from '../../support/fakeInference.ts';

const paragraphs = Array.from(
  { length: 40 },
  (_, i) => `Sentence number ${i}. Then comes ${i + 1}.`,
);
const text = paragraphs.join('\n\n');

function open() {
  const inference = new FakeInference();
  const languages = new LanguageChooser(nullLogger);
  languages.useModel(inference.model);
  const parts = { concepts: new SentenceConcepts(inference), languages };
  const document = new DocumentText(text, 'plaintext');
  const taken = async (after: string, signal?: AbortSignal) => {
    const offset = text.indexOf(after) + after.length;
    const found = await takenAround({ document, offset, source: 'auto' }, parts, signal);
    return new Set(found.map((concept) => concept.text));
  };
  return { inference, document, parts, taken };
}

test('the next sentences are encoded, and no others', async () => {
  const { inference, taken } = open();
  const found = await taken('number 10.');
  assert.equal(inference.encoded.flat().length, 16);
  assert.ok(found.has('Then comes 11.') && found.has('Sentence number 11.'));
  assert.ok(!found.has('Sentence number 10.') && !found.has('Sentence number 30.'));
});

test('what is encoded already counts wherever it stands, and is not encoded again', async () => {
  const { inference, document, parts, taken } = open();
  const known = ['Sentence number 0.', 'Sentence number 39.', 'It stands nowhere.'];
  await parts.concepts.concepts(known.map((one) => ({ text: one, lang: 'eng_Latn' })));
  assert.ok(!(await taken('number 10.')).has('Sentence number 0.'), 'not read yet');
  const { length } = document.sentences;
  assert.equal(length, 80);
  const found = await taken('number 10.');
  assert.ok(found.has('Sentence number 0.') && found.has('Sentence number 39.'));
  assert.ok(!found.has('It stands nowhere.') && !found.has('Sentence number 38.'));
  assert.equal(inference.encoded.flat().length, known.length + 16);
});

test('at the end nothing follows', async () => {
  const { inference, taken } = open();
  assert.deepEqual(await taken('number 39. Then comes 40.'), new Set());
  assert.deepEqual(inference.encoded, []);
});

test('an aborted signal rejects', async () => {
  await assert.rejects(open().taken('number 10.', AbortSignal.abort()), { name: 'AbortError' });
});
