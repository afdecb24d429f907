import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  differentMeanings,
  soundWordings,
  writeWordings,
} from '../../../../server/features/rewriting/wordings.ts';
import { angleOf, atAngle } from '../../../support/angles.ts';
import { PlaneModel, planeParts, wordOf } from '../../../support/planeModel.ts';

const options = { lang: 'eng_Latn', beamSize: 2, maxSeqLen: 32 };

test('each wording is read again once; what cannot be read is dropped', async () => {
  const openings = ['So', 'so', 'Now', '⁇'];
  const model = new PlaneModel((angle, i) => `${openings[i]} ${wordOf(angle)}`);
  const several = { ...options, hypotheses: 4 };
  const written = await writeWordings(planeParts(model), [atAngle(10), atAngle(10)], several);
  assert.deepEqual(
    written.map(({ text, concept }) => [text, angleOf(concept)]),
    [
      [`So ${wordOf(10)}`, 10],
      [`Now ${wordOf(10)}`, 10],
    ],
  );
  // A beam finishes no more wordings than it is wide.
  assert.deepEqual([model.decoded[0]?.beamSize, model.decoded[0]?.hypotheses], [4, 4]);
});

test('many concepts are written in groups; none are not asked for', async () => {
  const model = new PlaneModel();
  const concepts = Array.from({ length: 20 }, (_, i) => atAngle(i));
  assert.equal((await writeWordings(planeParts(model), concepts, options)).length, 20);
  assert.deepEqual(
    model.decoded.map(({ embeddings }) => embeddings.length),
    [8, 8, 4],
  );
  assert.deepEqual(await writeWordings(planeParts(model), [], options), []);
  assert.equal(model.decoded.length, 3);
});

test('a wording may not invent, nor read stranger than the strangest sentence of the writer', async () => {
  const model = new PlaneModel();
  const check = async (hasEntropies: boolean, own: string[]) => {
    const wordings = ['Then Ada wept.', 'It cost 7 pounds.', 'A glorf.', 'So be it.'];
    const given = wordings.map((text) => ({ text }));
    const known = { text: 'It was Ada.', own, lang: 'eng_Latn' };
    const sound = await soundWordings(planeParts(model, hasEntropies), given, known);
    return sound.map(({ text }) => text);
  };
  model.strange.add('A glorf.').add('O thou.');
  assert.deepEqual(await check(true, ['It was Ada.']), ['Then Ada wept.', 'So be it.']);
  const lenient = ['Then Ada wept.', 'A glorf.', 'So be it.'];
  assert.deepEqual(await check(true, ['It was Ada.', 'O thou.']), lenient);
  assert.deepEqual(await check(false, ['It was Ada.']), lenient);
});

test('of what says the same the first is kept', () => {
  const wordings = [0, 20, 50, 60, 100].map((angle) => ({ angle, concept: atAngle(angle) }));
  assert.deepEqual(
    differentMeanings(wordings).map(({ angle }) => angle),
    [0, 50, 100],
  );
});
