import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SamplingOptions } from '../../../../server/inference/inference.ts';
import type { QuantLcmConfig } from '../../../../server/model/config.ts';
import { combine } from '../../../../server/tensor/vector.ts';
import { assertClose } from '../../../support/graphSession.ts';
import { tinyQuantLcmC, tinyQuantLcmD } from '../../../support/tinyModels.ts';
import {
  tinyConcepts,
  tinyNormalizer,
  tinyQuantizer,
  tinyQuantModel,
} from '../../../support/tinySessions.ts';

/** The tiny centroids are far apart, so that only a high temperature gives other units a chance. */
const options: SamplingOptions = {
  lcm: 'quant',
  count: 4,
  seed: 7,
  inferenceTimesteps: 10,
  guidanceScale: 2,
  guidanceRescale: 0,
  initialNoiseScale: 0.6,
  ddimEta: 0,
  temperature: 20,
};

/** The sums of any units of the codebooks, in raw space. */
function allSums(config: QuantLcmConfig): Float32Array[] {
  const quantizer = tinyQuantizer(config);
  const units = Array.from({ length: config.codebookSize }, (_, unit) => unit);
  return units.flatMap((a) =>
    units.flatMap((b) => units.map((c) => tinyNormalizer.denormalize(quantizer.decode([a, b, c])))),
  );
}

for (const [name, config] of Object.entries({ c: tinyQuantLcmC, d: tinyQuantLcmD })) {
  test(`${name}: a candidate is a sum of centroids, and candidates differ`, async () => {
    const model = await tinyQuantModel(config);
    const candidates = await model.predict(tinyConcepts, options);
    const sums = new Set(allSums(config).map((sum) => sum.join()));
    for (const candidate of candidates) assert.ok(sums.has(candidate.join()));
    assert.ok(new Set(candidates.map((candidate) => candidate.join())).size > 1);
    await model.dispose();
  });

  test(`${name}: candidates are the same one by one and in a batch, cached and fresh`, async () => {
    const model = await tinyQuantModel(config);
    for (const length of [1, 2, 4, 3, 4]) {
      const context = tinyConcepts.slice(0, length);
      const four = await model.predict(context, options);
      assert.deepEqual(await model.predict(context, { ...options, count: 2 }), four.slice(0, 2));
      const fresh = await tinyQuantModel(config);
      assert.deepEqual(await fresh.predict(context, options), four);
      await fresh.dispose();
    }
    await model.dispose();
  });

  test(`${name}: the first candidate takes the best units, whatever the seed`, async () => {
    const model = await tinyQuantModel(config);
    const [best] = await model.predict(tinyConcepts, { ...options, topK: 1 });
    const found = await model.predict(tinyConcepts, { ...options, seed: 8 });
    assert.deepEqual(found[0], best);
    const others = await model.predict(tinyConcepts, { ...options, seed: 9 });
    assert.notDeepEqual(found.slice(1), others.slice(1));
    const same = await model.predict(tinyConcepts, { ...options, topK: 1 });
    assert.equal(new Set(same.map((candidate) => candidate.join())).size, 1);
    await model.dispose();
  });

  test(`${name}: guidance counts unless it is 1 or was not trained`, async () => {
    const model = await tinyQuantModel(config);
    const untrained = await tinyQuantModel(config, { trainedWithCfGuidance: false });
    const none = await model.predict(tinyConcepts, { ...options, guidanceScale: 1 });
    assert.deepEqual(await untrained.predict(tinyConcepts, options), none);
    const strong = await model.predict(tinyConcepts, { ...options, guidanceScale: 9 });
    assert.notDeepEqual(strong, none);
    await model.dispose();
    await untrained.dispose();
  });
}

test('guidance on the prediction is guidance on the logits of distances', () => {
  const quantizer = tinyQuantizer(tinyQuantLcmC);
  const [conditional, unconditional] = tinyConcepts.map(tinyNormalizer.normalize) as [
    Float32Array,
    Float32Array,
  ];
  const guided = (c: Float32Array, u: Float32Array) => combine(3, c, -2, u);
  assertClose(
    guided(quantizer.nearness(0, conditional), quantizer.nearness(0, unconditional)),
    quantizer.nearness(0, guided(conditional, unconditional)),
    1e-4, // float32: differences of numbers around 50
  );
});

test('an aborted prediction stops between codebooks', async () => {
  const model = await tinyQuantModel(tinyQuantLcmD);
  const signal = AbortSignal.abort();
  await assert.rejects(model.predict(tinyConcepts, options, signal), { name: 'AbortError' });
  await model.dispose();
});

test('a prediction that is not finite is an error', async () => {
  const model = await tinyQuantModel(tinyQuantLcmC);
  const huge = [tinyConcepts[0]?.map(() => 3e38) ?? new Float32Array(16)];
  await assert.rejects(model.predict(huge, options), { code: 'inferenceFailed' });
  await model.dispose();
});
