import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DdimScheduler, dynamicThreshold } from '../../../../server/inference/lcm/ddimScheduler.ts';
import type { NoiseSchedulerConfig } from '../../../../server/model/manifest.ts';
import {
  type ScheduleChange,
  schedules,
  spacings,
  steps,
  type Vector,
} from '../../../golden/ddimScheduler.ts';

const cosine: NoiseSchedulerConfig = {
  numDiffusionTrainSteps: 100,
  betaStart: 1e-4,
  betaEnd: 0.02,
  betaSchedule: 'squaredcos_cap_v2',
  scaledLinearExponent: 2,
  sigmoidScheduleAlpha: 1.5,
  sigmoidScheduleBeta: 0,
  clipSample: false,
  clipSampleRange: 1,
  setAlphaToOne: true,
  predictionType: 'sample',
  thresholding: false,
  dynamicThresholdingRatio: 0.995,
  sampleMaxValue: 6,
  rescaleBetasZeroSnr: true,
  timestepSpacing: 'trailing',
};

function scheduler(change: ScheduleChange = {}): DdimScheduler {
  return new DdimScheduler({ ...cosine, ...change });
}

const sample = Float32Array.of(0.5, -1, 2, 0.25);
const modelOutput = Float32Array.of(0.1, -0.2, 0.3, -0.4);
const noise = Float32Array.of(1, -0.5, 0.25, 2);

/** The values have 7 digits; those near 1 lose some in the float32 products of the reference. */
function checkClose(
  found: Iterable<number>,
  expected: readonly number[],
  what: string,
  absoluteTolerance = 2e-6,
): void {
  const values = [...found];
  assert.equal(values.length, expected.length, what);
  for (const [i, value] of values.entries()) {
    const wanted = expected[i] as number;
    const tolerance = absoluteTolerance + 1e-5 * Math.abs(wanted);
    assert.ok(Math.abs(value - wanted) <= tolerance, `${what} ${i}: ${wanted}, found ${value}`);
  }
}

/** Compares a table at some indices. */
function checkTable(table: Float32Array, expected: Readonly<Record<number, number>>, what: string) {
  const indices = Object.keys(expected).map(Number);
  checkClose(
    indices.map((i) => table[i] as number),
    indices.map((i) => expected[i] as number),
    what,
  );
}

test('every schedule has the reference’s ᾱ and β', () => {
  for (const [change, alphasCumprod, betas] of schedules) {
    const { alphasCumprod: foundAlphas, betas: foundBetas } = scheduler(change);
    const what = JSON.stringify(change);
    checkTable(foundAlphas, alphasCumprod, `ᾱ of ${what}`);
    checkTable(foundBetas, betas, `β of ${what}`);
  }
});

test('a rescaled schedule ends in pure noise', () => {
  for (const [change] of schedules) {
    const { alphasCumprod } = scheduler(change);
    assert.equal(alphasCumprod.at(-1) === 0, change.rescaleBetasZeroSnr !== false);
  }
});

test('ten steps of the cosine schedule are the reference’s', () => {
  const { alphasCumprod } = scheduler({ numDiffusionTrainSteps: 10 });
  checkClose(
    alphasCumprod,
    [
      0.97209281, 0.89834607, 0.78603315, 0.6460194, 0.49185416, 0.33846438, 0.20071481,
      0.091972739, 0.022818763, 0,
    ],
    'ᾱ',
  );
});

test('timesteps are the reference’s, with its truncated stride', () => {
  for (const [T, timestepSpacing, S, count, first, last] of spacings) {
    const steps = scheduler({ numDiffusionTrainSteps: T, timestepSpacing }).timesteps(S);
    assert.equal(steps.length, count, `${T} ${timestepSpacing} ${S}`);
    assert.deepEqual(steps.slice(0, first.length), first);
    assert.deepEqual(steps.slice(-last.length), last);
  }
});

test('a number of steps that the schedule does not have is refused', () => {
  for (const S of [0, -1, 2.5, 101, Number.NaN]) {
    assert.throws(() => scheduler().timesteps(S), { code: 'invalidRequest' });
  }
});

test('a step lands where the reference’s does', () => {
  for (const [T, S, predictionType, timestep, x0, prev, scaled, noisy, epsilon] of steps) {
    const ddim = scheduler({ numDiffusionTrainSteps: T, predictionType });
    const step = { modelOutput, timestep, sample, inferenceTimesteps: S };
    const what = `${T} ${S} ${predictionType} ${timestep}`;
    const plain = ddim.step(step);
    checkClose(plain.predOriginalSample, x0 as Vector, `${what} x0`);
    checkClose(plain.prevSample, prev as Vector, `${what} prev`);
    const epsilonScaled = ddim.step({ ...step, epsilonScaling: 1.00045 });
    checkClose(epsilonScaled.prevSample, scaled as Vector, `${what} scaled`);
    checkClose(epsilonScaled.predOriginalSample, x0 as Vector, `${what} scaled x0`);
    const variance = { ddimEta: 1, noise };
    // The reference takes the root of a float32 difference, 1 − ᾱ − σ², that is nearly 0.
    const { prevSample } = ddim.step({ ...step, variance });
    checkClose(prevSample, noisy as Vector, `${what} η = 1`, 5e-4);
    checkClose(ddim.predEpsilon(modelOutput, timestep, sample), epsilon as Vector, `${what} ε`);
  }
});

test('an ε-prediction without any signal is infinite, as in the reference', () => {
  const ddim = scheduler({ predictionType: 'epsilon' });
  const step = { modelOutput, timestep: 99, sample, inferenceTimesteps: 10 };
  const expected = [1, -1, 1, 1].map((sign) => sign * Number.POSITIVE_INFINITY);
  assert.deepEqual([...ddim.step(step).predOriginalSample], expected);
  assert.deepEqual([...ddim.step(step).prevSample], expected);
});

test('a step to ᾱ = 1 lands on the predicted sample', () => {
  const step = { modelOutput, timestep: 9, sample, inferenceTimesteps: 10 };
  assert.deepEqual(scheduler().step(step).prevSample, modelOutput);
});

test('η = 0 ignores the noise', () => {
  const step = { modelOutput, timestep: 49, sample, inferenceTimesteps: 10 };
  const variance = { ddimEta: 0, noise };
  assert.deepEqual(scheduler().step({ ...step, variance }), scheduler().step(step));
});

test('noise is added and velocity is formed as in the reference', () => {
  const added: readonly [number, Vector, Vector][] = [
    [0, [0.5249684, -1.012247, 2.00565, 0.3001737], [0.9871211, -0.4747158, 0.1996684, 1.993087]],
    [50, [1.068165, -1.052644, 1.563444, 1.61777], [0.3301858, 0.3767506, -1.272062, 1.202215]],
    [99, [1, -0.5, 0.25, 2], [-0.5, 1, -2, -0.25]],
  ];
  for (const [timestep, noisy, velocity] of added) {
    checkClose(scheduler().addNoise(sample, noise, timestep), noisy, `noise at ${timestep}`);
    checkClose(scheduler().velocity(sample, noise, timestep), velocity, `velocity at ${timestep}`);
  }
});

test('dynamic thresholding divides by a clipped quantile', () => {
  const x0 = Float32Array.of(0.5, -1.5, 3, -8, 2);
  const threshold = (dynamicThresholdingRatio: number) =>
    dynamicThreshold(x0, { ...cosine, dynamicThresholdingRatio });
  checkClose(threshold(0.5), [0.25, -0.75, 1, -1, 1], 'ratio 0.5');
  checkClose(threshold(0.995), [0.08333334, -0.25, 0.5, -1, 0.3333333], 'ratio 0.995');
});

test('a limited prediction moves the step but not its noise', () => {
  const step = { modelOutput: scaled(10), timestep: 49, sample, inferenceTimesteps: 10 };
  const { predOriginalSample } = scheduler({ clipSample: true }).step(step);
  assert.deepEqual([...predOriginalSample], [1, -1, 1, -1]);
  const thresholded = scheduler({ thresholding: true }).step(step).predOriginalSample;
  assert.ok(thresholded.every((value) => Math.abs(value) <= 1));
});

function scaled(factor: number): Float32Array {
  return modelOutput.map((value) => factor * value);
}
