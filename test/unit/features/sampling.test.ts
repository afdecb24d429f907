import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultSettings } from '../../../protocol/settings.ts';
import {
  chooseConceptModel,
  samplingDefaults,
  samplingOptions,
  wishesOf,
} from '../../../server/features/sampling.ts';
import { noSampling } from '../../../server/model/parseSampling.ts';

const samplings = {
  plain: noSampling,
  quick: { ...noSampling, inferenceTimesteps: 8, guidanceScale: 1.5, topK: 4 },
};

test('without a word of anybody, our defaults hold', () => {
  for (const lcm of ['plain', 'unknown']) {
    const options = samplingOptions({ samplings }, lcm, wishesOf(defaultSettings.completion));
    assert.deepEqual(options, { ...samplingDefaults, lcm });
  }
});

test('what the concept model recommends stands above our defaults', () => {
  assert.deepEqual(samplingOptions({ samplings }, 'quick', { count: 2, seed: null }), {
    ...samplingDefaults,
    lcm: 'quick',
    count: 2,
    inferenceTimesteps: 8,
    guidanceScale: 1.5,
    topK: 4,
  });
});

test('what the writer has set stands above everything, zero included', () => {
  const completion = { ...defaultSettings.completion, inferenceSteps: 50, guidanceScale: 0 };
  const options = samplingOptions({ samplings }, 'quick', wishesOf(completion));
  assert.deepEqual([options.inferenceTimesteps, options.guidanceScale, options.topK], [50, 0, 4]);
});

test('a concept model is the wanted one, else the first, and none is an error', () => {
  assert.equal(chooseConceptModel(['a', 'b'], 'b'), 'b');
  assert.equal(chooseConceptModel(['a', 'b'], 'c'), 'a');
  assert.equal(chooseConceptModel(['a', 'b'], 'auto'), 'a');
  assert.throws(() => chooseConceptModel([], 'auto'), { code: 'invalidRequest' });
});
