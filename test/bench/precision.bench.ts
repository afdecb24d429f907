import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { InferenceClient } from '../../server/inference/client.ts';
import { precisions } from '../../server/model/manifest.ts';
import { cosine } from '../../server/tensor/vector.ts';
import { compileBuiltIn, readSentences } from './builtIn.ts';
import { figure } from './figures.ts';

/*
 * What each precision costs in accuracy: the built-in model's embeddings beside those of fp32, and
 * how many of fp32's embeddings are decoded greedily to the same sentence.
 */

const count = 200;
const lang = 'eng_Latn';

void main();

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'thoughtline-bench-'));
  const clients: InferenceClient[] = [];
  const sentences = readSentences(count);
  try {
    const open = async (model: string) => {
      const client = new InferenceClient(resolve('dist', 'inferenceWorker.js'));
      clients.push(client);
      await client.load(model, {});
      return client;
    };
    const exact = await open(compileBuiltIn('fp32', join(folder, 'fp32')));
    const embeddings = await exact.encode({ sentences, lang });
    const decode = (client: InferenceClient) => client.decode({ embeddings, lang, beamSize: 1 });
    const texts = await decode(exact);
    for (const precision of precisions) {
      const model = compileBuiltIn(precision, join(folder, precision));
      figure(`${precision}: encoder and decoder on disk`, sizeOf(model) / 1e6, 'MB');
      if (precision === 'fp32') continue;
      const client = await open(model);
      const found = await client.encode({ sentences, lang });
      const cosines = found.map((x, i) => cosine(x, embeddings[i] ?? x));
      figure(`${precision} · fp32: mean cosine`, cosines.reduce((a, b) => a + b) / count, '');
      figure(`${precision} · fp32: least cosine`, Math.min(...cosines), '');
      const same = (await decode(client)).filter(({ text }, i) => text === texts[i]?.text);
      figure(`${precision} · fp32: identical greedy decodings`, same.length / count, '');
    }
  } finally {
    for (const client of clients) await client.dispose();
    rmSync(folder, { recursive: true, force: true });
  }
}

function sizeOf(folder: string): number {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.bin'))
    .reduce((sum, file) => sum + statSync(join(folder, file)).size, 0);
}
