import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bridgeGap } from '../../../../server/features/rewriting/bridge.ts';
import { samplingDefaults } from '../../../../server/features/sampling.ts';
import { atAngle } from '../../../support/angles.ts';
import {
  angleIn,
  PlaneModel,
  placedAt,
  planeParts,
  type Write,
  wordOf,
} from '../../../support/planeModel.ts';

interface Plan {
  write?: Write;
  next?: readonly number[];
  surroundings?: string;
  context?: { text: string; embedding: Float32Array }[];
}

/** Bridges from 0 to 90 degrees. */
async function bridge({ write = wordOf, next = [], surroundings = '', context }: Plan = {}) {
  const model = new PlaneModel(write, next);
  const [before, after] = [placedAt(0, 'From '), placedAt(90, 'To ')];
  const options = {
    ...{ lang: 'eng_Latn', beamSize: 1, maxSeqLen: 32 },
    ...{ sampling: samplingDefaults, surroundings },
  };
  const place = { before, after, context: context ?? [before] };
  const found = await bridgeGap(planeParts(model), place, options);
  return { model, found, angles: found.map(({ text }) => angleIn(text)) };
}

test('what lies halfway comes first where the concept model expects nothing else', async () => {
  const { found } = await bridge({ next: [45] });
  assert.equal(found[0]?.text, wordOf(45));
  // 0.7 · cos 45° + 0.3 · cos 0°
  assert.ok(Math.abs((found[0]?.agreement ?? 0) - (0.7 * Math.SQRT1_2 + 0.3)) < 1e-6);
});

test('nothing says either sentence again, by meaning or by wording', async () => {
  const { angles } = await bridge({ next: [0, 90, 10, 80, 45] });
  assert.ok(angles.length > 0);
  assert.ok(angles.every((angle) => angle > 36 && angle < 54));
  const words = await bridge({ write: () => `To ${wordOf(90)}` });
  assert.deepEqual(words.angles, []);
});

test('predictions are drawn to the sentence after; without a context there are none', async () => {
  const { model } = await bridge({ next: [300] });
  assert.equal(model.predicted[0]?.context.length, 1);
  const written = model.decoded.flatMap(({ embeddings }) => embeddings);
  // Two pulls of one prediction, and three places between the two.
  assert.equal(written.length, 5);
  const alone = await bridge({ context: [] });
  assert.equal(alone.model.predicted.length, 0);
  assert.equal(alone.found[0]?.text, wordOf(45));
});

test('a bridge invents no name that the text around lacks', async () => {
  const write: Write = () => `There stood Ada at ${wordOf(45)}`;
  assert.deepEqual((await bridge({ write })).found, []);
  const told = await bridge({ write, surroundings: 'And Ada knew.' });
  assert.equal(told.found.length, 1);
});

test('bridges differ from each other', async () => {
  const context = [{ text: '', embedding: atAngle(0) }];
  const { angles } = await bridge({ next: [40, 45, 50], context });
  assert.deepEqual(angles, [45]);
});
