import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { InferenceClient } from '../../server/inference/client.ts';
import { cosine } from '../../server/tensor/vector.ts';
import { compileBuiltIn, readSentences } from './builtIn.ts';
import { figure } from './figures.ts';

/*
 * The int8 encoder beside the fp32 one, from the same checkpoint, in turns: sentences per second
 * at batch 16, and how far apart the embeddings are.
 *
 * THOUGHTLINE_SENTENCES names a file of sentences, one a line (`python -m training.held_out`);
 * without it the sentences are made up.
 */

const batchSize = 16;
const rounds = 3;
const count = 1000;

void main();

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'thoughtline-bench-'));
  const clients: InferenceClient[] = [];
  try {
    const open = async (model: string) => {
      const client = new InferenceClient(resolve('dist', 'inferenceWorker.js'));
      clients.push(client);
      await client.load(model, {});
      return client;
    };
    const int8 = await open(join('dist', 'models', 'thoughtline-1'));
    const fp32 = await open(compileBuiltIn('fp32', join(folder, 'fp32')));
    // Sorted, so that sixteen sentences are one batch with little padding.
    const sentences = readSentences(count).sort((a, b) => a.length - b.length);

    const speeds = { int8: 0, fp32: 0 };
    for (let round = 0; round <= rounds; round++) {
      const fast = await sentencesPerSecond(int8, sentences);
      const exact = await sentencesPerSecond(fp32, sentences);
      if (round === 0) continue; // warm-up
      speeds.int8 += fast / rounds;
      speeds.fp32 += exact / rounds;
    }
    figure('encode int8, batch 16', speeds.int8, 'sentences/s');
    figure('encode fp32, batch 16', speeds.fp32, 'sentences/s');
    figure('encode int8 / fp32', speeds.int8 / speeds.fp32, '×');

    const a = await int8.encode({ sentences, lang: 'eng_Latn' });
    const b = await fp32.encode({ sentences, lang: 'eng_Latn' });
    const cosines = a.map((x, i) => cosine(x, b[i] ?? x));
    figure('cosine int8 · fp32, mean', cosines.reduce((s, x) => s + x, 0) / a.length, '');
    figure('cosine int8 · fp32, least', Math.min(...cosines), '');
  } finally {
    for (const client of clients) await client.dispose();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function sentencesPerSecond(
  client: InferenceClient,
  sentences: readonly string[],
): Promise<number> {
  const start = performance.now();
  for (let i = 0; i < sentences.length; i += batchSize) {
    await client.encode({ sentences: sentences.slice(i, i + batchSize), lang: 'eng_Latn' });
  }
  return sentences.length / ((performance.now() - start) / 1000);
}
