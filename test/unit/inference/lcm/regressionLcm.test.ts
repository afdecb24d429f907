import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { SamplingOptions } from '../../../../server/inference/inference.ts';
import type { RegressionLcm } from '../../../../server/inference/lcm/regressionLcm.ts';
import { combine, cosine, standardDeviation } from '../../../../server/tensor/vector.ts';
import { sonarLlmGolden } from '../../../golden/sonarLlm/golden.ts';
import { closedFormVector } from '../../../support/closedForm.ts';
import { assertClose } from '../../../support/graphSession.ts';
import {
  tinyBaseLcmModel,
  tinyConcepts,
  tinySonarLlmModel,
} from '../../../support/tinySessions.ts';

// Golden values: LCM fd7db80 with fairseq2 0.3.0rc1, torch 2.13, CPU, float32, closed-form weights.

const options: SamplingOptions = {
  lcm: 'base',
  count: 3,
  seed: 7,
  inferenceTimesteps: 10,
  guidanceScale: 1,
  guidanceRescale: 0,
  initialNoiseScale: 0.6,
  ddimEta: 0,
};

let model: RegressionLcm;
before(async () => {
  model = await tinyBaseLcmModel();
});
after(() => model.dispose());

/** atol 1e-6: float32, two layers, at concepts of deviation 0.015. */
function checkClose(found: Float32Array | undefined, expected: ArrayLike<number>): void {
  assert.equal(found?.length, expected.length);
  for (const [i, value] of found.entries()) {
    const wanted = expected[i] as number;
    assert.ok(Math.abs(value - wanted) < 1e-6, `${i}: ${wanted}, found ${value}`);
  }
}

test('the first candidate is the reference’s prediction', async () => {
  const [first] = await model.predict(tinyConcepts, options);
  checkClose(
    first,
    [
      0.013948571, 0.021565955, 0.048111364, 0.024526909, 0.024884457, -0.02435004, 0.0036023119,
      -0.027157441, -0.00047529489, -0.0047659399, 0.011788538, -0.0039458969, 0.027271274,
      0.00099117216, 0.0085442206, 0.024641395,
    ],
  );
});

/** Predicts without a past. */
async function predictFresh(context: readonly Float32Array[]): Promise<Float32Array> {
  const fresh = await tinyBaseLcmModel();
  const [first] = await fresh.predict(context, options);
  await fresh.dispose();
  return first ?? new Float32Array(0);
}

test('a cached context predicts what a fresh one does', async () => {
  for (const length of [1, 3, 4, 2, 2, 4]) {
    const context = tinyConcepts.slice(0, length);
    const [cached] = await model.predict(context, options);
    checkClose(cached, await predictFresh(context));
  }
});

test('fewer candidates are the first of more, and no two are the same', async () => {
  const three = await model.predict(tinyConcepts, options);
  const five = await model.predict(tinyConcepts, { ...options, count: 5 });
  assert.deepEqual(five.slice(0, 3), three);
  assert.equal(new Set(five.map((candidate) => candidate.join())).size, 5);
});

test('further candidates stay near the prediction, nearer for less noise', async () => {
  const nearness = async (initialNoiseScale: number) => {
    const [first, second] = await model.predict(tinyConcepts, { ...options, initialNoiseScale });
    return cosine(first ?? new Float32Array(16), second ?? new Float32Array(16));
  };
  const [none, little, much] = [await nearness(0), await nearness(0.2), await nearness(1)];
  assert.ok(Math.abs(none - 1) < 1e-6);
  assert.ok(none > little && little > much && much > 0.5, `${none} ${little} ${much}`);
});

test('the seed changes all candidates but the first', async () => {
  const [a, b] = await model.predict(tinyConcepts, options);
  const [c, d] = await model.predict(tinyConcepts, { ...options, seed: 8 });
  assert.deepEqual(a, c);
  assert.notDeepEqual(b, d);
});

test('of a context that is too long the last concepts count', async () => {
  const short = await tinyBaseLcmModel(2);
  const [found] = await short.predict(tinyConcepts, options);
  const [expected] = await model.predict(tinyConcepts.slice(-2), options);
  checkClose(found, expected ?? []);
});

test('a context that takes many runs predicts what one that grew does', async () => {
  const context = Array.from({ length: 200 }, (_, i) => tinyConcepts[(i * i) % 4] as Float32Array);
  const [atOnce, grown] = [await tinyBaseLcmModel(200), await tinyBaseLcmModel(200)];
  for (const length of [70, 140]) await grown.predict(context.slice(0, length), options);
  const [expected] = await grown.predict(context, options);
  const [found] = await atOnce.predict(context, options);
  checkClose(found, expected ?? []);
  await Promise.all([atOnce.dispose(), grown.dispose()]);
});

test('a prediction that is not finite is an error', async () => {
  const huge = [tinyConcepts[0]?.map(() => 3e38) ?? new Float32Array(16)];
  await assert.rejects(model.predict(huge, options), {
    code: 'inferenceFailed',
    message: /^concept model base/,
  });
});

test('SONAR-LLM reads raw concepts, cached or not', async () => {
  const llm = await tinySonarLlmModel();
  const context = Array.from({ length: 9 }, (_, i) =>
    closedFormVector('concepts', 9 * 16, 0.03).slice(i * 16, (i + 1) * 16),
  );
  for (const length of [2, 3, 9, 4]) {
    const [found] = await llm.predict(context.slice(0, length), options);
    const expected = sonarLlmGolden.predictions.grouped[length - 1] ?? [];
    assertClose(found ?? [], expected, 2e-5); // float32, two layers
  }
  await llm.dispose();
});

test('without a normaliser the noise is measured by the prediction', async () => {
  const llm = await tinySonarLlmModel();
  const [first, second] = (await llm.predict(tinyConcepts, options)) as [
    Float32Array,
    Float32Array,
  ];
  const deviation = standardDeviation(combine(1, second, -1, first));
  const expected = 0.5 * 0.6 * standardDeviation(first);
  // Sixteen numbers: their deviation is within a third of the noise's, for this seed.
  assert.ok(Math.abs(deviation / expected - 1) < 0.33, `${deviation} of ${expected}`);
  await llm.dispose();
});
