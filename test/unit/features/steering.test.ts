import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pull, Steering } from '../../../protocol/completion.ts';
import { InvalidRequestError } from '../../../server/base/errors.ts';
import type { SourceSentence } from '../../../server/features/sentenceConcepts.ts';
import { resolveSteering } from '../../../server/features/steering.ts';
import { combine, cosine, norm, scale } from '../../../server/tensor/vector.ts';
import { atAngle } from '../../support/angles.ts';

/** A plane whose concepts lie round (3, 1), half as far apart as in the concept space. */
const space = ([x = 0, y = 0]: Float32Array) => Float32Array.of(2 * (x - 3), 2 * (y - 1));
const raw = ([x = 0, y = 0]: Float32Array) => Float32Array.of(x / 2 + 3, y / 2 + 1);
const directions = { shorter: atAngle(90), longer: atAngle(-90) };

/** A text is the angle that it names, at some distance. */
async function encode(sentences: readonly SourceSentence[]) {
  encoded.push(...sentences);
  return sentences.map(({ text }) => ({
    text,
    embedding: raw(scale(5, atAngle(Number(text)))),
  }));
}
const encoded: SourceSentence[] = [];

const parts = { encode, space, raw, lang: 'fra_Latn', directions };
const toward = (text: string): Pull => ({ kind: 'toward', text });
const away = (text: string): Pull => ({ kind: 'away', text });
const direction = (name: string) => ({ kind: 'direction', name }) as Pull;

/** Bends the concept at angle 0 and distance 2, and returns where it is in the concept space. */
async function bend(pulls: Pull[], strength: number): Promise<Float32Array> {
  const steering = await resolveSteering({ pulls, strength }, parts);
  const prediction = raw(atAngle(0).map((value) => 2 * value));
  return space(steering === null ? prediction : steering.bend(prediction));
}

function close(found: Float32Array, expected: Float32Array) {
  const isClose = found.every((value, i) => Math.abs(value - (expected[i] ?? Number.NaN)) < 1e-6);
  assert.ok(isClose, `expected ${expected}, found ${found}`);
}

test('strength 0, no pulls and no steering are the same: nothing', async () => {
  const none: (Steering | null)[] = [
    null,
    { pulls: [], strength: 1 },
    { pulls: [toward('90'), away('10'), direction('shorter')], strength: 0 },
  ];
  for (const steering of none) assert.equal(await resolveSteering(steering, parts), null);
});

test('toward a text, the way ends half-way along the chord', async () => {
  close(await bend([toward('60')], 1), scale(5, atAngle(30)));
  const quarter = combine(0.75, atAngle(0), 0.25, atAngle(60));
  close(await bend([toward('60')], 0.5), scale(5 / norm(quarter), quarter));
});

test('away from a text and in a direction, steps of seven tenths are taken', async () => {
  const angle = (Math.atan(0.7) * 180) / Math.PI;
  close(await bend([away('90')], 1), scale(5, atAngle(-angle)));
  close(await bend([direction('shorter')], 1), scale(Math.SQRT2, atAngle(angle)));
  close(await bend([direction('longer')], 1), scale(Math.SQRT2, atAngle(-angle)));
});

test('what is bent is as long as concepts are, whatever its length was', async () => {
  for (const strength of [0.1, 0.5, 1]) {
    for (const pull of [toward('130'), away('10')]) {
      assert.ok(Math.abs(norm(await bend([pull], strength)) - 5) < 1e-5);
    }
    assert.ok(Math.abs(norm(await bend([direction('shorter')], strength)) - Math.SQRT2) < 1e-5);
  }
});

test('more strength is nearer to where it pulls and farther from what it flees', async () => {
  const cases: [Pull, (x: Float32Array) => number][] = [
    [toward('110'), (x) => cosine(x, atAngle(110))],
    [away('35'), (x) => -cosine(x, atAngle(35))],
    [direction('shorter'), (x) => cosine(x, directions.shorter)],
  ];
  for (const [pull, nearness] of cases) {
    let before = nearness(await bend([pull], 0));
    for (const strength of [0.01, 0.2, 0.4, 0.6, 0.8, 1]) {
      const now = nearness(await bend([pull], strength));
      assert.ok(
        now > before,
        `${pull.kind} at ${strength}: expected above ${before}, found ${now}`,
      );
      before = now;
    }
  }
});

test('opposite pulls cancel out, and the order of pulls does not matter', async () => {
  const both = [direction('shorter'), direction('longer')];
  close(await bend(both, 1), scale(Math.SQRT2, atAngle(0)));
  const pulls = [toward('80'), away('20'), direction('longer')];
  assert.deepEqual(await bend(pulls, 0.7), await bend(pulls.toReversed(), 0.7));
});

test('texts are encoded together, trimmed, in the language given', async () => {
  encoded.length = 0;
  await resolveSteering(
    { pulls: [toward(' 80 '), direction('longer'), away('20')], strength: 1 },
    parts,
  );
  const langs = encoded.map(({ lang }) => lang);
  assert.deepEqual(encoded.map(({ text }) => text).sort(), ['20', '80']);
  assert.deepEqual(langs, ['fra_Latn', 'fra_Latn']);
});

test('keys tell what bends differently, and only that', async () => {
  const keyOf = async (pulls: Pull[], strength: number, lang = 'fra_Latn') =>
    (await resolveSteering({ pulls, strength }, { ...parts, lang }))?.key;
  const pulls = [toward('80'), away('20')];
  const key = await keyOf(pulls, 0.5);
  assert.equal(await keyOf([away(' 20'), toward('80')], 0.5), key);
  const others = [
    await keyOf(pulls, 0.6),
    await keyOf([toward('80')], 0.5),
    await keyOf([toward('20'), away('80')], 0.5),
    await keyOf(pulls, 0.5, 'eng_Latn'),
  ];
  assert.ok(others.every((other) => other !== key));
  assert.equal(new Set(others).size, others.length);
});

test('what cannot be followed is refused before anything is encoded', async () => {
  encoded.length = 0;
  const refused: [Steering, RegExp][] = [
    [{ pulls: [toward('80')], strength: 1.01 }, /^strength: expected 0 to 1, found 1\.01$/],
    [{ pulls: [toward('80')], strength: Number.NaN }, /^strength: expected 0 to 1, found NaN$/],
    [{ pulls: [away(' … ')], strength: 0 }, /^pull away: expected a text with words/],
    [{ pulls: [toward('a'.repeat(5000))], strength: 1 }, /^pull toward: expected .* 4096 units/],
    [{ pulls: Array(17).fill(toward('80')), strength: 1 }, /^pulls: .* at most 16, found 17$/],
    [
      { pulls: [direction('sadder')], strength: 0 },
      /expected one of shorter, longer, found another$/,
    ],
    [{ pulls: [direction('constructor')], strength: 1 }, /expected one of shorter, longer/],
  ];
  for (const [steering, message] of refused) {
    await assert.rejects(resolveSteering(steering, parts), (error) => {
      assert.ok(error instanceof InvalidRequestError);
      assert.match(error.message, message);
      return true;
    });
  }
  assert.deepEqual(encoded, []);
});
