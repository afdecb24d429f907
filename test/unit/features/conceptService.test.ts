import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultSettings } from '../../../protocol/settings.ts';
import { nullLogger } from '../../../server/base/logger.ts';
import { ConceptService } from '../../../server/features/conceptService.ts';
import { lcmGeneration } from '../../../server/model/parseGeneration.ts';
import { FakeInference } from '../../support/fakeInference.ts';

const uri = 'file:///a.txt';
const text = 'It rained. He left. Nobody saw the old man go.';

/** The sentences of the text that were encoded, and not those that were written and read back. */
function ofTheText({ encoded }: FakeInference): string[] {
  return encoded
    .flat()
    .filter((sentence) => text.includes(sentence))
    .toSorted();
}

function openService() {
  const inference = new FakeInference();
  const service = new ConceptService(inference, nullLogger);
  return { inference, service };
}

async function suggest(service: ConceptService, offset: number, settings = defaultSettings) {
  const { candidates } = await service.nextSentences(uri, offset, 3, settings);
  return candidates.map((candidate) => candidate.text);
}

test('a finished sentence is encoded when it is finished, and never again', async () => {
  const { inference, service } = openService();
  service.useModel(inference.model);
  service.openDocument(uri, 'plaintext', 'It rained. He');
  service.changeDocument(uri, [{ start: 13, end: 13, text: ' left.' }]);
  await suggest(service, 19);
  assert.deepEqual(ofTheText(inference), ['He left.', 'It rained.']);
});

test('a sentence that the writer accepts is known already', async () => {
  const { inference, service } = openService();
  service.useModel(inference.model);
  service.openDocument(uri, 'plaintext', text);
  const accepted = ` ${(await suggest(service, text.length))[0]}`;
  service.changeDocument(uri, [{ start: text.length, end: text.length, text: accepted }]);
  await suggest(service, text.length + accepted.length);
  assert.match(accepted, /^ It has \d+ letters\.$/);
  const times = inference.encoded.flat().filter((sentence) => sentence === accepted.trim());
  assert.equal(times.length, 1);
});

test('documents that were open before the model are encoded when it comes', async () => {
  const { inference, service } = openService();
  service.openDocument(uri, 'plaintext', text);
  assert.deepEqual(inference.encoded, []);
  service.useModel(inference.model);
  assert.equal(inference.encoded.flat().length, 3);
});

test('another model encodes everything anew', async () => {
  const { inference, service } = openService();
  service.useModel(inference.model);
  service.openDocument(uri, 'plaintext', text);
  await suggest(service, text.length);
  service.useModel(null);
  assert.deepEqual(await suggest(service, text.length), []);
  service.useModel(inference.model);
  await suggest(service, text.length);
  assert.equal(ofTheText(inference).length, 6);
});

test('a suggestion with a number that the document lacks gives way to one without', async () => {
  const { inference, service } = openService();
  service.useModel(inference.model);
  const known = `${text} The list has 27 letters.`;
  service.openDocument(uri, 'plaintext', known);
  const { candidates } = await service.nextSentences(uri, known.length, 5, defaultSettings);
  assert.deepEqual(
    candidates.map((candidate) => candidate.text),
    ['It has 27 letters.'],
  );
});

test('what the next lines say already is not offered, in whatever words', async () => {
  const { inference, service } = openService();
  service.useModel(inference.model);
  service.openDocument(uri, 'plaintext', `${text}\n\nThe sun came out after that.`);
  const offered = await suggest(service, text.length);
  assert.deepEqual(new Set(offered.map(({ length }) => length)), new Set([18]));
  // For this model, what is as long says the same.
  service.openDocument(uri, 'plaintext', `${text}\n\nShe saw the ships.`);
  assert.deepEqual(await suggest(service, text.length), []);
});

test('a text begins for a model as in its training, as long as its beginning is read', async () => {
  const { inference, service } = openService();
  const generation = { ...lcmGeneration, beginText: 'Begin of text.' };
  service.useModel({ ...inference.model, generations: { base: generation } });
  service.openDocument(uri, 'plaintext', text);
  await suggest(service, text.length);
  const long = 'He left. '.repeat(40).trim();
  service.changeDocument(uri, [{ start: 0, end: text.length, text: long }]);
  await suggest(service, long.length);
  const lengths = inference.predicted.map(({ context }) => context.map(([length]) => length));
  assert.deepEqual(lengths[0], ['Begin of text.'.length, 10, 8, 26]);
  assert.deepEqual(new Set(lengths[1]), new Set(['He left.'.length]));
});

test('a closed document is refused', async () => {
  const { inference, service } = openService();
  service.useModel(inference.model);
  service.openDocument(uri, 'plaintext', text);
  service.closeDocument(uri);
  await assert.rejects(suggest(service, 3), { code: 'invalidRequest' });
  assert.throws(() => service.changeDocument(uri, []), { code: 'invalidRequest' });
});

test('neighbours are found by concept, nearest first, without the sentence itself', async () => {
  const { inference, service } = openService();
  service.useModel(inference.model);
  service.openDocument(uri, 'plaintext', text);
  const { sentence, neighbours } = await service.findNeighbours(uri, 12, 5, defaultSettings);
  assert.equal(sentence?.text, 'He left.');
  assert.deepEqual(
    neighbours.map((neighbour) => text.slice(neighbour.start, neighbour.end)),
    ['It rained.', 'Nobody saw the old man go.'],
  );
});

const french = 'Le bateau part à midi, et nous prenons du pain pour la route.';
const mixed = `${french}\n\nThe ferry leaves at noon, and we take some bread along for the way.`;

function openBilingual(documentText = mixed) {
  const inference = new FakeInference(['eng_Latn', 'fra_Latn']);
  const service = new ConceptService(inference, nullLogger);
  service.useModel(inference.model);
  service.openDocument(uri, 'plaintext', documentText);
  return { inference, service };
}

function withLanguage(language: Partial<typeof defaultSettings.language>) {
  return { ...defaultSettings, language: { ...defaultSettings.language, ...language } };
}

test('each paragraph is encoded in its own language, and continued in it', async () => {
  const { inference, service } = openBilingual();
  await suggest(service, mixed.length);
  assert.deepEqual(inference.encodedLangs[0], ['fra_Latn', 'eng_Latn']);
  assert.equal(inference.decoded.at(-1)?.lang, 'eng_Latn');
  await suggest(service, french.length);
  assert.equal(inference.decoded.at(-1)?.lang, 'fra_Latn');
  await suggest(service, french.length, withLanguage({ target: 'English' }));
  assert.equal(inference.decoded.at(-1)?.lang, 'eng_Latn');
});

test('the setting of the language holds for what is encoded ahead', async () => {
  const { inference, service } = openBilingual('Hm.');
  service.useSettings(uri, withLanguage({ source: 'fr' }));
  service.useSettings('file:///closed.txt', withLanguage({ source: 'fr' }));
  await suggest(service, 3, withLanguage({ source: 'fr' }));
  assert.deepEqual(inference.encodedLangs[0], ['fra_Latn']);
});

test('languages are described with the reason for the choice', async () => {
  const { service } = openBilingual();
  const described = await service.describeLanguage({ uri, offset: 5 }, defaultSettings);
  assert.deepEqual(described, {
    languages: [
      { code: 'eng_Latn', name: 'English', autonym: 'English' },
      { code: 'fra_Latn', name: 'French', autonym: 'français' },
    ],
    source: { code: 'fra_Latn', reason: 'paragraph' },
    target: 'fra_Latn',
  });
  const end = { uri, offset: mixed.length };
  const { source, target } = await service.describeLanguage(end, withLanguage({ target: 'fr' }));
  assert.deepEqual([source, target], [{ code: 'eng_Latn', reason: 'paragraph' }, 'fra_Latn']);
  assert.equal((await service.describeLanguage(undefined, defaultSettings)).source, null);
  service.useModel(null);
  assert.deepEqual(await service.describeLanguage(end, defaultSettings), {
    languages: [],
    source: null,
    target: null,
  });
});

test('a text is translated sentence by sentence, in the language of its document', async () => {
  const { inference, service } = openBilingual();
  const wanted = { uri, text: 'Oui. Non.', to: 'en' };
  const translated = await service.translate(wanted, withLanguage({ source: 'fr' }));
  assert.deepEqual(translated, {
    translation: 'It has 4 letters. It has 4 letters.',
    sentences: ['Oui.', 'Non.'].map((sentence, i) => ({
      text: sentence,
      from: { code: 'fra_Latn', reason: 'setting' },
      translation: 'It has 4 letters.',
      score: 0 - i,
      lost: [],
      invented: ['4'],
    })),
    to: 'eng_Latn',
  });
  await service.translate({ text: 'Oui.', from: 'French', to: 'en' }, defaultSettings);
  assert.deepEqual(inference.encodedLangs.at(-1), ['fra_Latn']);
  const unknown = service.translate({ text: 'Oui.', to: 'Klingon' }, defaultSettings);
  await assert.rejects(unknown, { code: 'invalidRequest', message: /such as eng_Latn, fra_Latn/ });
  const closed = service.translate({ uri: 'file:///b', text: '', to: 'en' }, defaultSettings);
  await assert.rejects(closed, { code: 'invalidRequest' });
  service.useModel(null);
  assert.deepEqual((await service.translate(wanted, defaultSettings)).sentences, []);
});
