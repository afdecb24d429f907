import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nameOfLanguage } from '../../../src/languageNames.ts';

test('a language is named by its code', () => {
  assert.equal(nameOfLanguage('fra_Latn', 'en'), 'French');
  assert.equal(nameOfLanguage('fra_Latn', 'de'), 'Französisch');
  assert.equal(nameOfLanguage('zho_Hans', 'en'), 'Chinese');
  assert.equal(nameOfLanguage('zho_Hant', 'en'), 'Traditional Chinese');
});

test('what is no code is its own name', () => {
  assert.equal(nameOfLanguage('same', 'en'), 'same');
  assert.equal(nameOfLanguage('French', 'en'), 'French');
});
