import test from 'node:test';
import { timestepEmbedding } from '../../../../server/compiler/nn/timestepEmbedding.ts';
import { timestepEmbedding7 } from '../../../golden/tinyModels.ts';
import { closedFormWeights } from '../../../support/closedForm.ts';
import { assertClose, integers, rowOf, runLayer } from '../../../support/graphSession.ts';
import { tinyTwoTowerLcm } from '../../../support/tinyModels.ts';
import { twoTowerLcmShapes } from '../../../support/tinyShapes.ts';

const weights = closedFormWeights(twoTowerLcmShapes(tinyTwoTowerLcm));

async function embed(timesteps: readonly number[]): Promise<readonly number[][]> {
  const input = integers([timesteps.length], timesteps);
  const [embedded] = await runLayer(weights, [input], (scope, value) =>
    timestepEmbedding(scope.at('denoiser').at('embed_time'), 32, value),
  );
  return timesteps.map((_, index) => (embedded ? [...rowOf(embedded, index)] : []));
}

test('timestep 7 is embedded as in the reference', async () => {
  const [embedded = []] = await embed([7]);
  assertClose(embedded.slice(0, 8), timestepEmbedding7, 2e-5);
});

test('timesteps of a batch are embedded one by one', async () => {
  const together = await embed([99, 7, 0]);
  for (const [index, timestep] of [99, 7, 0].entries()) {
    const [alone = []] = await embed([timestep]);
    assertClose(together[index] ?? [], alone, 1e-6);
  }
});
