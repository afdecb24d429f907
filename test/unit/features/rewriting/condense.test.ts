import assert from 'node:assert/strict';
import { test } from 'node:test';
import { condenseParagraph } from '../../../../server/features/rewriting/condense.ts';
import { cosine } from '../../../../server/tensor/vector.ts';
import { atAngle } from '../../../support/angles.ts';
import {
  PlaneModel,
  placedAt,
  planeParts,
  type Write,
  wordOf,
} from '../../../support/planeModel.ts';

async function condense(angles: readonly number[], write: Write = wordOf) {
  const model = new PlaneModel(write);
  const sentences = angles.map((angle) => placedAt(angle, 'It said long and broad '));
  const options = { lang: 'eng_Latn', beamSize: 1, maxSeqLen: 32 };
  return { model, found: await condenseParagraph(planeParts(model), sentences, options) };
}

test('the centre of the concepts is written, and stands first where it says the most', async () => {
  const { found } = await condense([0, 50, 100]);
  assert.equal(found[0]?.text, wordOf(50));
  const mean = [0, 50, 100].reduce((sum, angle) => sum + cosine(atAngle(50), atAngle(angle)), 0);
  assert.ok(Math.abs((found[0]?.agreement ?? 0) - mean / 3) < 1e-6);
});

test('where the decoder says something else, the most central sentence of the writer stands first', async () => {
  const { found } = await condense([0, 40, 100], (_, i) => `Else ${wordOf(180 + 30 * i)}`);
  assert.equal(found[0]?.text, `It said long and broad ${wordOf(40)}`);
});

test('alternatives say different things, and there are few', async () => {
  const { found } = await condense([0, 30, 90, 150], (angle, i) => wordOf(angle + 60 * i));
  assert.ok(found.length > 1 && found.length <= 3);
  const agreements = found.map(({ agreement }) => agreement);
  assert.deepEqual(
    agreements,
    agreements.toSorted((a, b) => b - a),
  );
});

test('nothing is longer than the paragraph, and one sentence is short already', async () => {
  const { found } = await condense([0, 40, 100], () => `${'so very '.repeat(30)}${wordOf(50)}`);
  assert.deepEqual(
    found.map(({ text }) => text),
    [`It said long and broad ${wordOf(40)}`],
  );
  const alone = await condense([0]);
  assert.deepEqual([alone.found, alone.model.decoded], [[], []]);
});
