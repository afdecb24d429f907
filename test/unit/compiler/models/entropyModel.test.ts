import assert from 'node:assert/strict';
import test from 'node:test';
import { CheckpointUnsupportedError, WeightMismatchError } from '../../../../server/base/errors.ts';
import { buildEntropyModel } from '../../../../server/compiler/models/entropyModel.ts';
import { type Precision, precisions } from '../../../../server/model/manifest.ts';
import { byteIds } from '../../../../server/text/patching.ts';
import { entropyGolden } from '../../../golden/entropyModel/golden.ts';
import { closedFormWeights } from '../../../support/closedForm.ts';
import { assertClose, integers, openGraph } from '../../../support/graphSession.ts';
import { tinyEntropyModel } from '../../../support/tinyModels.ts';
import { entropyModelShapes } from '../../../support/tinyShapes.ts';

const shapes = entropyModelShapes(tinyEntropyModel);
const { ids, entropies, surprisals, text } = entropyGolden;

async function openModel(precision: Precision = 'fp32') {
  const graph = buildEntropyModel(tinyEntropyModel, closedFormWeights(shapes), { precision });
  const run = await openGraph(graph);
  return async (shape: readonly number[], rows: readonly number[]) => {
    const { entropy, surprisal } = await run({ input_ids: integers(shape, rows) });
    assert.deepEqual([entropy?.shape, surprisal?.shape], [shape, shape]);
    return { entropy: entropy?.data ?? [], surprisal: surprisal?.data ?? [] };
  };
}

test('the ids of a text are those of the trainer', () => assert.deepEqual(byteIds(text), ids));

test('the entropies are those of the trainer', async () => {
  const entropiesOf = await openModel();
  const { entropy, surprisal } = await entropiesOf([1, ids.length], ids);
  assertClose(entropy, entropies, 2e-5);
  assertClose(surprisal.slice(0, -1), surprisals, 2e-5);
});

for (const precision of precisions) {
  test(`${precision}: what stands on the right changes nothing on the left`, async () => {
    const entropiesOf = await openModel(precision);
    const whole = (await entropiesOf([1, ids.length], ids)).entropy;
    const padded = [...ids.slice(0, 6), ...new Array<number>(ids.length - 6).fill(0)];
    const both = (await entropiesOf([2, ids.length], [...ids, ...padded])).entropy;
    assertClose(both.slice(0, ids.length), whole, 1e-5);
    assertClose(both.slice(ids.length, ids.length + 6), whole.slice(0, 6), 1e-5);
  });
}

test('int8 is close to fp32', async () => {
  const found = await (await openModel('int8'))([1, ids.length], ids);
  assertClose(found.entropy, entropies, 0.02);
  assertClose(found.surprisal.slice(0, -1), surprisals, 0.05);
});

test('a checkpoint that does not fit is named', () => {
  const build = (changed: Record<string, readonly number[]>) => () =>
    buildEntropyModel(tinyEntropyModel, closedFormWeights(changed), { precision: 'fp32' });
  assert.throws(build({ ...shapes, 'embed.weight': [256, 16] }), (error) => {
    const message = /embed\.weight: expected \[260, 16\], found \[256, 16\]/;
    return error instanceof WeightMismatchError && message.test(error.message);
  });
  assert.throws(build({ ...shapes, 'decoder.bias': [16] }), WeightMismatchError);
});

test('heads that do not share the dimension are refused', () => {
  const config = { ...tinyEntropyModel, numAttnHeads: 5 };
  const build = () => buildEntropyModel(config, closedFormWeights(shapes), { precision: 'fp32' });
  assert.throws(build, CheckpointUnsupportedError);
});
