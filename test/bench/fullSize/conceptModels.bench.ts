import { resolve } from 'node:path';
import { InferenceClient } from '../../../server/inference/client.ts';
import type { SamplingOptions } from '../../../server/inference/inference.ts';
import type { Precision } from '../../../server/model/manifest.ts';
import { Random } from '../../../server/tensor/random.ts';
import { scale } from '../../../server/tensor/vector.ts';
import { figure } from '../figures.ts';
import { compiledSonar, compiledTwoTower } from './compiled.ts';
import { cleanUp, twoTowerName } from './sources.ts';

/*
 * One concept of the Two-Tower of 1.6 billion parameters, random weights: guidance, three
 * candidates in a batch, by the number of diffusion steps. The first concept reads a context of
 * twenty; the next one finds it in the cache.
 */

/** Steps asked for; the reference's spacing makes 9, 17, 25 and 50 of them. */
const stepCounts = [8, 16, 24, 50];
const precisions = ['int8', 'fp16'] as const satisfies readonly Precision[];
const contextLength = 20;
const sonarDim = 1024;
/** Deviation of a coordinate of SONAR's embeddings. */
const sonarDeviation = 0.006;

/** As Mimir's card recommends them. */
const options: Omit<SamplingOptions, 'inferenceTimesteps'> = {
  lcm: twoTowerName,
  count: 3,
  seed: 1,
  guidanceScale: 1.5,
  guidanceRescale: 0.7,
  initialNoiseScale: 0.6,
  epsilonScaling: 1.00045,
  ddimEta: 0,
};

void main();

async function main(): Promise<void> {
  for (const precision of precisions) {
    const client = new InferenceClient(resolve('dist', 'inferenceWorker.js'));
    try {
      await client.load(compiledSonar('int8'), { addOns: [compiledTwoTower(precision)] });
      await measure(client, precision);
    } finally {
      await client.dispose();
    }
  }
  cleanUp();
}

async function measure(client: InferenceClient, precision: Precision): Promise<void> {
  const context = concepts(1, contextLength);
  const predict = async (concept: readonly Float32Array[], inferenceTimesteps: number) => {
    const start = performance.now();
    await client.predict({ context: concept, options: { ...options, inferenceTimesteps } });
    return (performance.now() - start) / 1000;
  };
  await predict(concepts(2, 1), 1); // opens the sessions, and leaves a cache that fits nothing
  const [shortest = 8] = stepCounts;
  figure(
    `Two-Tower ${precision}, first concept, ${shortest} steps`,
    await predict(context, shortest),
    's',
  );
  for (const [index, steps] of stepCounts.entries()) {
    const extended = [...context, ...concepts(3 + index, 1)];
    figure(
      `Two-Tower ${precision}, following concept, ${steps} steps`,
      await predict(extended, steps),
      's',
    );
  }
}

function concepts(seed: number, count: number): Float32Array[] {
  const random = new Random(seed);
  return Array.from({ length: count }, () => scale(sonarDeviation, random.gaussians(sonarDim)));
}
