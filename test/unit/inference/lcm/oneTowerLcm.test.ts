import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { SamplingOptions } from '../../../../server/inference/inference.ts';
import type { OneTowerLcm } from '../../../../server/inference/lcm/oneTowerLcm.ts';
import { assertClose } from '../../../support/graphSession.ts';
import { tinyConcepts, tinyOneTowerModel } from '../../../support/tinySessions.ts';

const busy: SamplingOptions = {
  lcm: 'one-tower',
  count: 3,
  seed: 7,
  inferenceTimesteps: 10,
  guidanceScale: 3,
  guidanceRescale: 0.7,
  initialNoiseScale: 0.6,
  ddimEta: 0.5,
};

let model: OneTowerLcm;
before(async () => {
  model = await tinyOneTowerModel();
});
after(() => model.dispose());

/** atol 2e-6: float32 through ten steps, at concepts of deviation 0.015. */
function checkClose(found: Float32Array | undefined, expected: ArrayLike<number> | undefined) {
  assertClose(found ?? [], expected ?? [], 2e-6);
}

/** Predicts without a past. */
async function predictFresh(context: readonly Float32Array[]): Promise<Float32Array | undefined> {
  const fresh = await tinyOneTowerModel();
  const [first] = await fresh.predict(context, busy);
  await fresh.dispose();
  return first;
}

test('a cached context predicts what a fresh one does', async () => {
  for (const length of [1, 2, 4, 3, 3, 4]) {
    const context = tinyConcepts.slice(0, length);
    const [cached] = await model.predict(context, busy);
    checkClose(cached, await predictFresh(context));
  }
});

test('candidates are the same one by one and in a batch, and differ', async () => {
  const three = await model.predict(tinyConcepts, busy);
  const five = await model.predict(tinyConcepts, { ...busy, count: 5 });
  for (const [i, candidate] of three.entries()) checkClose(five[i], candidate);
  checkClose((await model.predict(tinyConcepts, { ...busy, count: 1 }))[0], three[0]);
  assert.notDeepEqual(five[0], five[1]);
});

test('the seed decides', async () => {
  const again = await model.predict(tinyConcepts, busy);
  assert.deepEqual(again, await model.predict(tinyConcepts, busy));
  assert.notDeepEqual(again, await model.predict(tinyConcepts, { ...busy, seed: 8 }));
});

test('guidance that is almost none is almost no guidance', async () => {
  const options = { ...busy, guidanceRescale: 0 };
  const [without] = await model.predict(tinyConcepts, { ...options, guidanceScale: 1 });
  const [almost] = await model.predict(tinyConcepts, { ...options, guidanceScale: 1 + 1e-7 });
  checkClose(almost, without);
  assert.notDeepEqual((await model.predict(tinyConcepts, options))[0], without);
});

test('a model trained without guidance is sampled without', async () => {
  const untrained = await tinyOneTowerModel({ trainedWithCfGuidance: false });
  const [found] = await untrained.predict(tinyConcepts, busy);
  checkClose(found, (await model.predict(tinyConcepts, { ...busy, guidanceScale: 1 }))[0]);
  await untrained.dispose();
});

test('of a context that is too long the last concepts count, beside the slot', async () => {
  const short = await tinyOneTowerModel({ maxSeqLen: 3 });
  const [found] = await short.predict(tinyConcepts, busy);
  checkClose(found, (await model.predict(tinyConcepts.slice(-2), busy))[0]);
  await short.dispose();
});

test('more steps than the model was trained with are refused', async () => {
  const options = { ...busy, inferenceTimesteps: 101 };
  await assert.rejects(model.predict(tinyConcepts, options), { code: 'invalidRequest' });
});

test('an aborted prediction stops, and the next one is right', async () => {
  const controller = new AbortController();
  const options = { ...busy, inferenceTimesteps: 100 };
  const prediction = model.predict(tinyConcepts, options, controller.signal);
  setImmediate(() => controller.abort());
  await assert.rejects(prediction, { name: 'AbortError' });
  const [found] = await model.predict(tinyConcepts, busy);
  checkClose(found, await predictFresh(tinyConcepts));
});
