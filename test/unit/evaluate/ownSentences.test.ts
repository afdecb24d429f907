import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ownSentenceFigures, type Predict } from '../../evaluate/ownSentences.ts';
import { atAngle } from '../../support/angles.ts';

const options = { space: (x: Float32Array) => x, count: 2, minContext: 1 };

/** Documents in which each sentence is so many degrees. */
const documents = [
  [0, 90, 180, 250],
  [2, 92, 178, 300],
].map((angles) => angles.map(atAngle));

function always(...angles: number[]): Predict {
  const offers = angles.map((angle) => ({ predicted: atAngle(angle), concept: atAngle(angle) }));
  return async () => offers;
}

test('own sentences are found where the writer wrote them before, and only there', async () => {
  const figures = await ownSentenceFigures(documents, always(135, 225), options);
  assert.equal(figures.places, 6);
  // At the last place of each, the other document went on to something else.
  assert.ok(figures.with.hitRate > figures.without.hitRate);
  assert.ok(figures.with.contrastiveAccuracy > figures.without.contrastiveAccuracy);
  assert.ok(figures.with.nearest > figures.without.nearest);
  assert.ok(figures.offered > 0 && figures.offered <= 1);
});

test('a perfect concept model needs no own sentences', async () => {
  const next = new Map(documents.flat().map((x, i, all) => [x, all[i + 1] ?? x]));
  const predict: Predict = async (context) => {
    const truth = next.get(context.at(-1) ?? assert.fail()) ?? assert.fail();
    return [{ predicted: truth, concept: truth }];
  };
  const single = [[0, 60, 120, 180, 240, 300].map(atAngle)];
  for (const [i, x] of (single[0] ?? []).entries()) next.set(x, single[0]?.[i + 1] ?? x);
  const figures = await ownSentenceFigures(single, predict, options);
  assert.deepEqual(figures.without, { contrastiveAccuracy: 1, hitRate: 1, nearest: 1 });
  assert.deepEqual(figures.with, figures.without);
  assert.equal(figures.offered, 0);
});

test('nothing of what comes later in the document is ground', async () => {
  const repeating = [[0, 90, 0, 90, 0, 90].map(atAngle)];
  assert.equal((await ownSentenceFigures(repeating, always(200), options)).offered, 0);
});

test('no documents are no places', async () => {
  const none = { contrastiveAccuracy: 0, hitRate: 0, nearest: 0 };
  const figures = { places: 0, offered: 0, without: none, with: none };
  assert.deepEqual(await ownSentenceFigures([], always(0), options), figures);
});
