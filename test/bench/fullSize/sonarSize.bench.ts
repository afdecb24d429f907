import { resolve } from 'node:path';
import { InferenceClient } from '../../../server/inference/client.ts';
import { defaultThreadCount } from '../../../server/inference/session.ts';
import type { Precision } from '../../../server/model/manifest.ts';
import { figure } from '../figures.ts';
import { bestOfTurns, type Cost } from '../turns.ts';
import { compiledSonar } from './compiled.ts';
import { ReadingFloor } from './readingFloor.ts';
import { sentence } from './sentence.ts';
import { cleanUp } from './sources.ts';

/*
 * SONAR's encoder and decoder at their real size, random weights, in each precision: sentences
 * and tokens per second, and how far a step of the decoder is from reading its weights once.
 */

const rounds = 3;
const batchSize = 16;
const tokensPerSentence = 32;
const beamSize = 5;
/** Steps of the decoder: with random weights no sentence ends before its limit. */
const steps = 24;
const precisions = ['fp32', 'int8', 'int4'] as const satisfies readonly Precision[];
type Measured = (typeof precisions)[number];

/** Numbers that a step multiplies with: the layers' products and the projection. */
const modelDim = 1024;
const stepWeights = 24 * (4 * modelDim ** 2 + 2 * modelDim * 8192) + 256_206 * modelDim;
/** int8 has a scale per row of D, int4 one per block of 32 or more, which is left out. */
const bytesPerWeight = { fp32: 4, int8: 1, int4: 0.5 };

void main();

async function main(): Promise<void> {
  const clients: InferenceClient[] = [];
  try {
    const open = async (precision: Precision) => {
      const client = new InferenceClient(resolve('dist', 'inferenceWorker.js'));
      clients.push(client);
      await client.load(compiledSonar(precision), {});
      return client;
    };
    const models = { fp32: await open('fp32'), int8: await open('int8'), int4: await open('int4') };

    const sentences = Array.from({ length: batchSize }, (_, i) => sentence(i, tokensPerSentence));
    const encoding = await bestOfTurns(
      forEach((precision) => () => models[precision].encode({ sentences, lang: 'eng_Latn' })),
      rounds,
    );
    for (const precision of precisions) {
      figure(
        `encode ${precision}, 16 × 32 tokens`,
        batchSize / encoding[precision].seconds,
        'sentences/s',
      );
    }
    printRatios('encode', encoding);

    const embeddings = await models.int8.encode({
      sentences: sentences.slice(0, 1),
      lang: 'eng_Latn',
    });
    const decode = (precision: Measured) => () =>
      models[precision].decode({
        embeddings,
        lang: 'eng_Latn',
        beamSize,
        maxSeqLen: steps + 1,
      });
    const decoding = await bestOfTurns(forEach(decode), rounds);
    for (const precision of precisions) {
      figure(`decode ${precision}, beam 5`, steps / decoding[precision].seconds, 'tokens/s');
    }
    printRatios('decode', decoding);

    for (const precision of precisions) {
      const sizeBytes = stepWeights * bytesPerWeight[precision];
      const floor = await ReadingFloor.start(sizeBytes, defaultThreadCount());
      const best = await bestOfTurns(
        { step: decode(precision), reading: () => floor.read() },
        rounds,
      );
      await floor.stop();
      const step = best.step.seconds / steps;
      figure(`decode ${precision}: a step`, 1000 * step, 'ms');
      figure(`decode ${precision}: reading its weights once`, 1000 * best.reading.seconds, 'ms');
      figure(`decode ${precision}: step / reading`, step / best.reading.seconds, '×');
    }
  } finally {
    for (const client of clients) await client.dispose();
    cleanUp();
  }
}

function printRatios(name: string, { fp32, int8, int4 }: Record<Measured, Cost>): void {
  for (const [precision, cost] of Object.entries({ int8, int4 })) {
    figure(`${name} ${precision} / fp32`, fp32.seconds / cost.seconds, '×');
    const ratio = fp32.processorSeconds / cost.processorSeconds;
    figure(`${name} ${precision} / fp32, by processor time`, ratio, '×');
  }
}

function forEach(
  action: (precision: Measured) => () => Promise<unknown>,
): Record<Measured, () => Promise<unknown>> {
  return { fp32: action('fp32'), int8: action('int8'), int4: action('int4') };
}
