import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expandHeading } from '../../../../server/features/rewriting/expand.ts';
import { samplingDefaults } from '../../../../server/features/sampling.ts';
import {
  PlaneModel,
  placedAt,
  planeParts,
  type Write,
  wordOf,
} from '../../../support/planeModel.ts';

/** Expands a heading that says 0 degrees. */
async function expand(next: readonly number[], write: Write = wordOf, context = [placedAt(270)]) {
  const model = new PlaneModel(write, next);
  const options = {
    ...{ lang: 'eng_Latn', beamSize: 1, maxSeqLen: 32, surroundings: '' },
    sampling: samplingDefaults,
  };
  const found = await expandHeading(planeParts(model), placedAt(0), context, options);
  return { model, found, texts: found.map(({ text }) => text) };
}

test('sentences follow each other, the next one knowing those before, until one repeats', async () => {
  // Drawn to the heading by 0.5: 45 and 315 degrees; a third would say one of them again.
  const { model, texts } = await expand([90, 270], (angle) => `So ${wordOf(angle)}`);
  assert.ok(texts.includes(`So ${wordOf(45)} So ${wordOf(315)}`), texts.join('\n'));
  const lengths = model.predicted.map(({ context }) => context.length);
  assert.deepEqual(lengths.slice(0, 2), [2, 3]);
});

test('no passage is longer than three sentences', async () => {
  let count = 0;
  const { texts } = await expand([90, 270], () => `So ${wordOf(40 + 40 * (count++ % 8))}`);
  assert.equal(texts[0]?.match(/So/g)?.length, 3);
});

test('passages come with the one first that keeps nearest to the heading', async () => {
  const { found } = await expand([90]);
  const agreements = found.map(({ agreement }) => agreement);
  assert.ok(found.length > 1);
  assert.deepEqual(
    agreements,
    agreements.toSorted((a, b) => b - a),
  );
});

test('nothing is offered where the model only says the heading or the text before again', async () => {
  assert.deepEqual((await expand([0, 10])).texts, []);
  assert.deepEqual((await expand([90], () => `Again ${wordOf(270)}`)).texts, []);
  assert.deepEqual((await expand([])).texts, []);
});
