import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isEnabledFor } from '../../../src/otherCompletions.ts';

/** As Copilot ships it: off for prose. */
const copilot = { '*': true, plaintext: false, markdown: false };

test('a switch by language is that of the language, or of all', () => {
  assert.equal(isEnabledFor(copilot, 'markdown'), false);
  assert.equal(isEnabledFor(copilot, 'latex'), true);
  assert.equal(isEnabledFor({ '*': false, latex: true }, 'latex'), true);
  assert.equal(isEnabledFor({ '*': false }, 'latex'), false);
  assert.equal(isEnabledFor({}, 'latex'), true);
});

test('one switch is for all languages, and none is on', () => {
  assert.equal(isEnabledFor(true, 'markdown'), true);
  assert.equal(isEnabledFor(false, 'markdown'), false);
  assert.equal(isEnabledFor(undefined, 'markdown'), true);
  assert.equal(isEnabledFor(null, 'markdown'), true);
});
