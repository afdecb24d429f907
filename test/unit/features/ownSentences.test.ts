import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultSettings } from '../../../protocol/settings.ts';
import { nullLogger } from '../../../server/base/logger.ts';
import { ConceptService } from '../../../server/features/conceptService.ts';
import { type ConceptSequence, followersOf } from '../../../server/features/ownSentences.ts';
import { atAngle } from '../../support/angles.ts';
import { FakeInference } from '../../support/fakeInference.ts';

const raw = (embedding: Float32Array) => embedding;

/** A document of concepts at angles; null is not encoded. */
function sequence(angles: readonly (number | null)[], near?: ConceptSequence['near']) {
  const concepts = angles.map((angle, i) =>
    angle === null ? null : { text: `Sentence ${i}`, embedding: atAngle(angle) },
  );
  return { concepts, ...(near !== undefined && { near }) };
}

/** Returns the places of what followed contexts like the one of the angles. */
function places(context: readonly number[], document: ConceptSequence): number[] {
  const followers = followersOf(context.map(atAngle), document, raw);
  return followers.map(({ concept }) => Number(concept.text.split(' ')[1]));
}

for (const [name, context, angles, expected] of [
  ['what followed the same is found', [0], [90, 0, 200], [2]],
  ['the more similar context comes first', [0], [30, 90, 3, 90], [3, 1]],
  ['nothing follows the last sentence', [0], [90, 0], []],
  ['contexts unlike this one are passed over', [0], [90, 200, 180, 300], []],
  [
    'sentences before the last one decide between equals',
    [90, 0],
    [80, 0, 180, 90, 0, 270],
    [5, 2],
  ],
  ['what is not encoded neither follows nor is followed', [0], [0, null, 200, null, 0, 90], [5]],
  ['nothing is found without a context', [], [0, 90], []],
] as const) {
  test(name, () => assert.deepEqual(places(context, sequence(angles)), expected));
}

test('the likeness is the weighted mean cosine, and a sentence that is missing is like none', () => {
  const [first] = followersOf([atAngle(90), atAngle(0)], sequence([0, 45]), raw);
  assert.ok(Math.abs((first?.likeness ?? 0) - 4 / 6) < 1e-6);
  const followers = followersOf([atAngle(90), atAngle(0)], sequence([30, 60, 45]), raw);
  const both = followers.find(({ concept }) => concept.text === 'Sentence 2');
  // cos 60 for both: 60 and 0, 30 and 90.
  assert.ok(Math.abs((both?.likeness ?? 0) - 0.5) < 1e-6);
});

test('likeness is measured in the space', () => {
  const turned = ([x = 0, y = 0]: Float32Array) => Float32Array.of(x + 1, y);
  const document = sequence([180, 90]);
  assert.deepEqual(followersOf([atAngle(0)], document, turned), []);
  assert.equal(followersOf([atAngle(180)], sequence([180, 90]), raw).length, 1);
});

test('what is near to the caret is not offered, nor its wording elsewhere', () => {
  const angles = [0, 90, 0, 91, 0, 92];
  assert.deepEqual(places([0], sequence(angles)), [1, 3, 5]);
  assert.deepEqual(places([0], sequence(angles, [2, 4])), [1, 5]);
  assert.deepEqual(places([0], sequence(angles, [-4, 2])), [3, 5]);
  const document = sequence(angles, [2, 4]);
  const repeated = document.concepts.map((concept, i) =>
    concept !== null && i === 5 ? { ...concept, text: 'sentence 3!' } : concept,
  );
  assert.deepEqual(places([0], { ...document, concepts: repeated }), [1]);
});

test('each wording comes once, after the most similar context', () => {
  const concepts = [20, 90, 0, 91].map((angle) => ({ text: 'So.', embedding: atAngle(angle) }));
  const followers = followersOf([atAngle(0)], { concepts }, raw);
  assert.deepEqual(
    followers.map(({ concept }) => concept),
    [concepts[3]],
  );
});

// A fake embedding tells lengths: contexts are alike when their sentences are as long.
const here = 'file:///here.txt';
const there = 'file:///there.txt';
// The fake writes of lengths, which must be no inventions.
const counted = Array.from({ length: 16 }, (_, i) => 20 + i).join(', ');
const before = `We counted ${counted}. It was a cold night.`;
const own = 'A wolf was heard far away in the hills.';
const settings = {
  ...defaultSettings,
  completion: { ...defaultSettings.completion, candidates: 8, ownSentences: true },
};

async function openBoth(elsewhere: string) {
  const inference = new FakeInference();
  const service = new ConceptService(inference, nullLogger);
  service.useModel(inference.model);
  service.openDocument(there, 'plaintext', elsewhere);
  service.openDocument(here, 'plaintext', before);
  const ask = (asked = settings) =>
    service.nextSentences(here, before.length, 8, asked).then(({ candidates }) => candidates);
  await ask(); // what is not encoded is from now on
  return { inference, service, ask };
}

test('what followed the same in another document is offered, and said to be the writer’s own', async () => {
  const { ask } = await openBoth(`It was a dark night. ${own} We slept.`);
  const candidates = await ask();
  const found = candidates.filter(({ origin }) => origin === 'own');
  assert.deepEqual(
    found.map(({ text }) => text),
    [own],
  );
  assert.ok(candidates.some(({ origin }) => origin === 'model'));
  assert.ok((await ask(defaultSettings)).every(({ origin }) => origin === 'model'));
});

test('a document that was closed is no ground any more', async () => {
  const { service, ask } = await openBoth(`It was a dark night. ${own} We slept.`);
  service.closeDocument(there);
  assert.ok((await ask()).every(({ origin }) => origin === 'model'));
});

test('a sentence that is being written is not offered', async () => {
  const { ask } = await openBoth('It was a dark night. A wolf was heard far away in the');
  assert.ok((await ask()).every(({ origin }) => origin === 'model'));
});

test('the beginning of a long document is encoded when it is wanted, little by little', async () => {
  const filler = Array.from({ length: 300 }, (_, i) => `Day ${'x'.repeat(30 + i)} passed.`);
  const { inference, ask } = await openBoth(`It was a dark night. ${own} ${filler.join(' ')}`);
  await new Promise((resolve) => setImmediate(resolve));
  assert.ok((await ask()).some(({ text }) => text === own));
  assert.ok(Math.max(...inference.encoded.map(({ length }) => length)) <= 64);
});
