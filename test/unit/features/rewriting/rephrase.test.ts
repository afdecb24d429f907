import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  combineAlternatives,
  rephraseSentence,
} from '../../../../server/features/rewriting/rephrase.ts';
import {
  PlaneModel,
  placedAt,
  planeParts,
  type Write,
  wordOf,
} from '../../../support/planeModel.ts';

/** Rewords a sentence that says 40 degrees; how far each wording strays is up to `write`. */
async function reword(
  write: Write,
  { before = 'It is ', source = '', signal = undefined as AbortSignal | undefined } = {},
) {
  const sentence = placedAt(40, before);
  const options = { lang: 'eng_Latn', beamSize: 1, maxSeqLen: 32, source: source || sentence.text };
  const model = new PlaneModel(write);
  const found = await rephraseSentence(planeParts(model), sentence, options, signal);
  return { found, texts: found.map(({ text }) => text), model };
}

const words = ['It is', 'So it is', 'Now', 'There', 'Surely'];

test('other wordings of the same concept come best first, the sentence itself does not', async () => {
  const strays = [0, 30, 10, 50, 20];
  // Only the concept itself is written in several wordings; those beside it stray too far.
  const { found, model } = await reword((angle, i) =>
    angle === 40 ? `${words[i]} ${wordOf(40 + (strays[i] ?? 0))}` : `Far ${wordOf(200)}`,
  );
  assert.deepEqual(
    found.map(({ text, agreement }) => [text, agreement.toFixed(4)]),
    [
      [`Now ${wordOf(50)}`, Math.cos(Math.PI / 18).toFixed(4)],
      [`Surely ${wordOf(60)}`, Math.cos(Math.PI / 9).toFixed(4)],
      [`So it is ${wordOf(70)}`, Math.cos(Math.PI / 6).toFixed(4)],
    ],
  );
  assert.deepEqual(
    model.decoded.map(({ embeddings, hypotheses }) => [embeddings.length, hypotheses]),
    [
      [1, 5],
      [8, 1],
    ],
  );
});

test('concepts a little beside are written as well, the same ones each time', async () => {
  const write: Write = (angle) => `About ${wordOf(angle)}`;
  const { texts } = await reword(write);
  assert.ok(texts.length > 1);
  assert.deepEqual((await reword(write)).texts, texts);
});

test('a number that was changed is put back, a rewrite that lost one is refused', async () => {
  const number = { before: 'At 12 it is ' };
  const changed = await reword((_, i) => `Just at 13 it was ${words[i]} ${wordOf(40)}`, number);
  assert.equal(changed.texts[0], `Just at 12 it was It is ${wordOf(40)}`);
  const lost = await reword((_, i) => `${words[i]} ${wordOf(40)}`, number);
  assert.deepEqual(lost.texts, []);
  const name = { before: 'So Martha said it is ' };
  const other = await reword((_, i) => `${words[i]} Martin said ${wordOf(40)}`, name);
  // Martin is a form of Martha in another language, but not in this one.
  assert.deepEqual(other.texts, [`Martha said ${wordOf(40)}`]);
  const link = { source: 'It is https://example.org ea' };
  assert.deepEqual((await reword(() => `Well ${wordOf(40)}`, link)).texts, []);
});

test('nothing that says something else is offered, and an abort is one', async () => {
  assert.deepEqual((await reword(() => `Other ${wordOf(90)}`)).texts, []);
  const signal = AbortSignal.abort();
  await assert.rejects(reword(wordOf, { signal }), { name: 'AbortError' });
});

test('several sentences are combined one by one, with what stands between them', () => {
  const one = { text: 'One.', gap: '\n', alternatives: [] };
  const two = {
    text: 'Two.',
    gap: ' ',
    alternatives: [
      { text: 'A.', agreement: 0.9 },
      { text: 'B.', agreement: 0.8 },
    ],
  };
  const three = { text: 'Three.', gap: '', alternatives: [{ text: 'C.', agreement: 0.85 }] };
  assert.deepEqual(combineAlternatives([one, two, three]), [
    { text: 'One.\nA. C.', agreement: 0.85 },
    { text: 'One.\nB. C.', agreement: 0.8 },
  ]);
  assert.deepEqual(combineAlternatives([one]), []);
  assert.deepEqual(combineAlternatives([]), []);
});
