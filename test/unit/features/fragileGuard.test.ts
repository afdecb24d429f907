import assert from 'node:assert/strict';
import { test } from 'node:test';
import { carryOver, KnownSpans, withoutInventions } from '../../../server/features/fragileGuard.ts';

function checkInvented(document: string, sentence: string, expected: string[]): void {
  const invented = new KnownSpans(document).invented(sentence);
  assert.deepEqual(
    invented.map(({ start, end }) => sentence.slice(start, end)),
    expected,
    sentence,
  );
}

test('what the document has is not invented, wherever it stands there', () => {
  const document = 'Lily went to Rome in 1,950. See `next` and https://a.example/b.';
  checkInvented(document, 'Everyone knew Lily.', []);
  checkInvented(document, 'She left Rome in 1950 with LILY.', []);
  checkInvented(document, 'See https://a.example/b and `next`.', []);
  checkInvented(document, 'It was dark and cold.', []);
});

test('numbers, names, identifiers and links that the document lacks are invented', () => {
  const document = 'Lily went to Rome in 1950.';
  checkInvented(document, 'In 1951 she met Tom Rome.', ['1951', 'Tom Rome']);
  checkInvented(document, 'She called max_len.', ['max_len']);
  checkInvented(document, 'See https://b.example.', ['https://b.example']);
});

function checkKept(document: string, texts: string[], expected: string[]): void {
  const candidates = texts.map((text, i) => ({ text, i }));
  const kept = withoutInventions(candidates, new KnownSpans(document));
  assert.deepEqual(
    kept.map(({ text }) => text),
    expected,
  );
}

test('a suggestion that invents gives way to plainer ones, which keep their order', () => {
  const texts = ['She met Tom.', 'It rained.', 'He was 7.', 'She left.'];
  checkKept('Lily slept.', texts, ['It rained.', 'She left.']);
  checkKept('Lily and Tom slept.', texts, ['She met Tom.', 'It rained.', 'She left.']);
});

test('where all invent, those that invent least come first and none is dropped', () => {
  const texts = ['She met Tom in Rome.', 'She met Anna.', 'She met Ben.'];
  checkKept('', texts, ['She met Anna.', 'She met Ben.', 'She met Tom in Rome.']);
  checkKept('', [], []);
});

/** `lost` and `invented` are left out where they are empty. */
function checkCarried(
  source: string,
  again: string,
  expected: { text: string; lost?: string[]; invented?: string[] },
  langs: { source?: string; again?: string } = {},
): void {
  const carried = carryOver(
    { text: source, lang: langs.source ?? 'eng_Latn' },
    { text: again, lang: langs.again ?? 'eng_Latn' },
  );
  assert.deepEqual(carried, { lost: [], invented: [], ...expected });
}

test('a sentence that keeps everything stays as it is', () => {
  const text = 'On 5 May Anna saw https://a.example and max_len.';
  checkCarried(text, text, { text });
  const german = { text: 'Es hat 1.000 Teile.' };
  checkCarried('It has 1,000 parts.', german.text, german, { again: 'deu_Latn' });
  checkCarried('Anna left.', 'Anna a quitté Londres.', {
    text: 'Anna a quitté Londres.',
    invented: ['Londres'],
  });
});

test('one span that was changed into one other of its kind is put back', () => {
  checkCarried('It took 37 days.', 'It took 27 days.', { text: 'It took 37 days.' });
  checkCarried('He met Obama today.', 'He met Alberto today.', { text: 'He met Obama today.' });
  checkCarried('Set max_len first.', 'Set mix_lan first.', { text: 'Set max_len first.' });
  checkCarried('See www.a.org.', 'See www.b.com.', { text: 'See www.a.org.' });
  checkCarried('Set maxLen to 10.', 'Set minLin to 12.', { text: 'Set maxLen to 10.' });
});

test('where it is not clear which belongs to which, nothing is changed and all is told', () => {
  checkCarried('From 3 to 5.', 'From 2 to 9.', {
    text: 'From 2 to 9.',
    lost: ['3', '5'],
    invented: ['2', '9'],
  });
  checkCarried('It took 3 days.', 'It took some days.', {
    text: 'It took some days.',
    lost: ['3'],
  });
  checkCarried('It took days.', 'It took 3 days.', { text: 'It took 3 days.', invented: ['3'] });
  checkCarried('From 3 to 5.', 'From 3 to 9.', { text: 'From 3 to 5.' });
});

test('names may have other forms, another script, or begin the sentence', () => {
  checkCarried('He lives in London.', 'Il vit à Londres.', { text: 'Il vit à Londres.' });
  checkCarried('He lives in London.', '他住在伦敦。', { text: '他住在伦敦。' });
  const english = { text: 'Yesterday Anna left.' };
  checkCarried('Gestern ging Anna.', english.text, english, { source: 'deu_Latn' });
  checkCarried('Yesterday Anna left.', 'Anna left yesterday.', { text: 'Anna left yesterday.' });
});

test('spans of other kinds keep their places when one before them gets longer', () => {
  checkCarried('Use www.example.org 12 times.', 'Use www.a.b 13 times, Mr. Smith.', {
    text: 'Use www.example.org 12 times, Mr. Smith.',
    invented: ['Mr. Smith'],
  });
});
