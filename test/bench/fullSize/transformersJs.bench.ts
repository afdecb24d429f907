import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { InferenceClient } from '../../../server/inference/client.ts';
import { figure } from '../figures.ts';
import { bestOfTurns } from '../turns.ts';
import { compiledSonar } from './compiled.ts';
import { sentence } from './sentence.ts';
import { cleanUp, rivalFolder } from './sources.ts';

/*
 * SONAR beside an M2M100 of the same size in transformers.js, on the same ONNX Runtime: sentences
 * to embeddings, and embeddings to tokens. transformers.js has no beam search, so both decode
 * greedily, one sentence and five at once, which costs what a beam of five does.
 */

const rounds = 3;
const rows = 16;
const tokens = 32;
/** Steps of the decoder. */
const steps = 24;

interface Task {
  name: 'encode' | 'decode';
  rows: number;
  tokens: number;
}

async function main(): Promise<void> {
  const ours = new InferenceClient(resolve('dist', 'inferenceWorker.js'));
  const rival = await Rival.start();
  try {
    await ours.load(compiledSonar('int8'), {});
    const sentences = Array.from({ length: rows }, (_, i) => sentence(i, tokens));
    await compare('encode, 16 × 32 tokens', rows, 'sentences/s', {
      ours: () => ours.encode({ sentences, lang: 'eng_Latn' }),
      ...rival.tasks({ name: 'encode', rows, tokens }),
    });
    const embeddings = await ours.encode({ sentences: sentences.slice(0, 5), lang: 'eng_Latn' });
    for (const count of [1, 5]) {
      await compare(`decode greedily, ${count} at once`, count * steps, 'tokens/s', {
        ours: () =>
          ours.decode({
            embeddings: embeddings.slice(0, count),
            lang: 'eng_Latn',
            beamSize: 1,
            maxSeqLen: steps + 1,
          }),
        ...rival.tasks({ name: 'decode', rows: count, tokens: steps }),
      });
    }
  } finally {
    rival.stop();
    await ours.dispose();
    cleanUp();
  }
}

/** Measures one task in all three ways and prints what each does in a second. */
async function compare(
  name: string,
  amount: number,
  unit: string,
  actions: Record<'ours' | 'q8' | 'fp32', () => Promise<unknown>>,
): Promise<void> {
  const best = await bestOfTurns(actions, rounds);
  figure(`${name}: Thoughtline, int8`, amount / best.ours.seconds, unit);
  figure(`${name}: transformers.js, q8`, amount / best.q8.seconds, unit);
  figure(`${name}: transformers.js, fp32`, amount / best.fp32.seconds, unit);
  figure(`${name}: Thoughtline / transformers.js, q8`, best.q8.seconds / best.ours.seconds, '×');
  figure(
    `${name}: Thoughtline / transformers.js, fp32`,
    best.fp32.seconds / best.ours.seconds,
    '×',
  );
}

/** transformers.js in its process. */
class Rival {
  readonly #process: ChildProcess;

  static async start(): Promise<Rival> {
    const packageFolder = process.env['THOUGHTLINE_RIVAL'] ?? '';
    const script = join('test', 'bench', 'rival', 'run.mjs');
    const child = fork(script, [packageFolder, rivalFolder], { stdio: 'inherit' });
    await once(child, 'message');
    return new Rival(child);
  }

  private constructor(child: ChildProcess) {
    this.#process = child;
  }

  /** Returns what runs a task in q8, as published models are mostly used, and in fp32. */
  tasks(task: Task): Record<'q8' | 'fp32', () => Promise<void>> {
    return {
      q8: () => this.#run({ ...task, dtype: 'q8' }),
      fp32: () => this.#run({ ...task, dtype: 'fp32' }),
    };
  }

  stop(): void {
    this.#process.kill();
  }

  async #run(task: Task & { dtype: string }): Promise<void> {
    this.#process.send(task);
    const [answer] = await once(this.#process, 'message');
    if (answer.error) throw new Error(`transformers.js: ${answer.error}`);
  }
}

void main();
