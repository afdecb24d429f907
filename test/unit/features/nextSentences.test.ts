import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contextWindow } from '../../../server/features/contextWindow.ts';
import { nextSentences } from '../../../server/features/nextSentences.ts';
import { samplingDefaults } from '../../../server/features/sampling.ts';
import { FakeInference } from '../../support/fakeInference.ts';

const options = {
  sampling: { ...samplingDefaults, count: 2 },
  lang: 'eng_Latn',
  beamSize: 1,
  maxSeqLen: 64,
};

function concepts(count: number) {
  return Array.from({ length: count }, (_, i) => ({
    text: `Sentence ${i}.`,
    embedding: Float32Array.of(i, 1),
  }));
}

test('candidates are predicted from the end of the context and written in order', async () => {
  const inference = new FakeInference();
  const context = concepts(40);
  const candidates = await nextSentences(inference, context, options);
  assert.deepEqual(
    candidates.map(({ text }) => text),
    ['It has 39 letters.', 'It has 40 letters.'],
  );
  const window = contextWindow(context).map((concept) => concept.embedding);
  assert.deepEqual(inference.predicted[0]?.context, window);
});

test('no context gives no candidates and asks no model', async () => {
  const inference = new FakeInference();
  assert.deepEqual(await nextSentences(inference, [], options), []);
  assert.equal(inference.predicted.length, 0);
});

test('an aborted signal rejects', () =>
  assert.rejects(nextSentences(new FakeInference(), concepts(1), options, AbortSignal.abort()), {
    name: 'AbortError',
  }));
