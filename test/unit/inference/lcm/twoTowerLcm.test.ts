import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { SamplingOptions } from '../../../../server/inference/inference.ts';
import type { TwoTowerLcm } from '../../../../server/inference/lcm/twoTowerLcm.ts';
import { closedFormVector } from '../../../support/closedForm.ts';
import { tinyConcepts, tinyTwoTowerModel } from '../../../support/tinySessions.ts';

// Golden values: LCM fd7db80 with fairseq2 0.3.0rc1, torch 2.13, CPU, float32, closed-form weights.

const plain: SamplingOptions = {
  lcm: 'two-tower',
  count: 1,
  seed: 7,
  inferenceTimesteps: 10,
  guidanceScale: 1,
  guidanceRescale: 0,
  initialNoiseScale: 1,
  ddimEta: 0,
};
const guided = { guidanceScale: 3, guidanceRescale: 0.7, initialNoiseScale: 0.6 };

/** Options and the concept that follows `tinyConcepts` when the noise is the closed form's. */
const samples: readonly [SamplingOptions, readonly number[]][] = [
  [
    { ...plain, ...{ inferenceTimesteps: 10 } },
    [
      0.0049246587, 0.037930094, -0.0037991209, 0.0083572576, 0.014442392, 0.0012115799,
      -0.0014582304, -0.012434786, 0.010317023, -0.014613737, -0.0028553274, -0.00048713805,
      -0.016012913, -0.026299503, 0.015317786, 0.036176179,
    ],
  ],
  [
    { ...plain, ...{ inferenceTimesteps: 40 } },
    [
      0.0060247616, 0.037653856, -0.0039352421, 0.0054980991, 0.019568343, 0.0029882286,
      -0.0095156813, -0.00016553607, 0.013185724, -0.013596182, -0.0076675839, 0.00093188183,
      -0.015945975, -0.020747533, 0.015922306, 0.040342864,
    ],
  ],
  [
    { ...plain, ...{ inferenceTimesteps: 10, ...guided } },
    [
      0.004512887, 0.037800863, -0.0092355451, 0.016503653, 0.015765486, -0.0016183401,
      -0.0078313248, -0.012251288, 0.0090866266, -0.014840542, -0.0025069066, 0.00042470219,
      -0.019461978, -0.032141548, 0.01590623, 0.038847409,
    ],
  ],
  [
    { ...plain, ...{ inferenceTimesteps: 40, ...guided, epsilonScaling: 1.00045 } },
    [
      0.011537489, 0.038818225, -0.0073099779, 0.011387966, 0.01737285, 0.0015098704, -0.014583721,
      0.00065087248, 0.012082089, -0.016142718, -0.0060951295, 0.0043794364, -0.018345915,
      -0.022246741, 0.016534945, 0.044714872,
    ],
  ],
];

let model: TwoTowerLcm;
before(async () => {
  model = await tinyTwoTowerModel();
});
after(() => model.dispose());

/** atol 2e-6: float32 through 50 steps, at concepts of deviation 0.015. */
function checkClose(found: Float32Array | undefined, expected: ArrayLike<number>): void {
  assert.equal(found?.length, expected.length);
  for (const [i, value] of found.entries()) {
    const wanted = expected[i] as number;
    assert.ok(Math.abs(value - wanted) < 2e-6, `${i}: ${wanted}, found ${value}`);
  }
}

test('a sampled concept is the reference’s', async () => {
  const noise = () => ({ gaussians: (length: number) => closedFormVector('latent', length) });
  for (const [options, expected] of samples) {
    const [concept] = await model.denoise(tinyConcepts, options, noise);
    checkClose(concept, expected);
  }
});

const busy: SamplingOptions = { ...plain, ...guided, count: 3, ddimEta: 0.5 };

/** Predicts without a past. */
async function predictFresh(context: readonly Float32Array[]): Promise<Float32Array> {
  const fresh = await tinyTwoTowerModel();
  const [first] = await fresh.predict(context, busy);
  await fresh.dispose();
  return first ?? new Float32Array(0);
}

test('a cached context predicts what a fresh one does', async () => {
  for (const length of [1, 2, 4, 3, 3, 4]) {
    const context = tinyConcepts.slice(0, length);
    const [cached] = await model.predict(context, busy);
    checkClose(cached, await predictFresh(context));
  }
});

test('a context that differs in its middle is read again from there', async () => {
  const [a, b, c, d] = tinyConcepts as [Float32Array, Float32Array, Float32Array, Float32Array];
  await model.predict([a, b, c], busy);
  const [found] = await model.predict([a, d, c], busy);
  checkClose(found, await predictFresh([a, d, c]));
});

test('fewer candidates are the first of more', async () => {
  const three = await model.predict(tinyConcepts, busy);
  const five = await model.predict(tinyConcepts, { ...busy, count: 5 });
  for (const [i, candidate] of three.entries()) checkClose(five[i], candidate);
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
  checkClose(almost, without ?? []);
});

test('a model trained without guidance is sampled without', async () => {
  const untrained = await tinyTwoTowerModel({ trainedWithCfGuidance: false });
  const found = await untrained.predict(tinyConcepts, busy);
  assert.deepEqual(found, await model.predict(tinyConcepts, { ...busy, guidanceScale: 1 }));
});

test('of a context that is too long the last concepts count', async () => {
  const short = await tinyTwoTowerModel({ maxSeqLen: 2 });
  const [found] = await short.predict(tinyConcepts, busy);
  const [expected] = await model.predict(tinyConcepts.slice(-2), busy);
  checkClose(found, expected ?? []);
});

test('more steps than the model was trained with are refused', async () => {
  const options = { ...plain, inferenceTimesteps: 101 };
  await assert.rejects(model.predict(tinyConcepts, options), { code: 'invalidRequest' });
});

test('an aborted prediction stops, and the next one is right', async () => {
  const controller = new AbortController();
  const prediction = model.predict(
    tinyConcepts,
    { ...plain, inferenceTimesteps: 100 },
    controller.signal,
  );
  setImmediate(() => controller.abort());
  await assert.rejects(prediction, { name: 'AbortError' });
  const [found] = await model.predict(tinyConcepts, busy);
  checkClose(found, await predictFresh(tinyConcepts));
});
