import { parentPort } from 'node:worker_threads';
import { InvalidRequestError, MemoryError } from '../../server/base/errors.ts';
import { InferenceServer } from '../../server/inference/inferenceServer.ts';

/*
 * An inference thread without models, for tests of the thread itself.
 *
 *   load     the folder is the model's name; `heavy` does not fit into memory
 *   encode   a batch per sentence; an embedding holds the sentence's length and how many requests
 *            of any kind were answered before it; the sentence `crash` breaks the thread
 *   entropies  a batch per text, of which the entropy is the length; surprisals likewise
 *   decode   the text is the embedding's first number; the language `none` is refused
 *   predict  takes `seed` steps, each one turn of the event loop
 */

const turn = () => new Promise(setImmediate);

if (parentPort === null) throw new Error('expected to be a worker thread');
new InferenceServer(parentPort, async (folder, _options, signal) => {
  await turn();
  signal.throwIfAborted();
  if (folder === 'heavy') throw new MemoryError('heavy: not enough memory');
  let answered = 0;
  return {
    info: {
      name: folder,
      embeddingDim: 2,
      langs: ['eng_Latn'],
      defaultLang: 'eng_Latn',
      conceptModels: ['base'],
      hasEntropies: true,
      generations: {},
      samplings: {},
      confidences: {},
      normalizers: {},
      directions: {},
      device: 'cpu',
      deviceNote: null,
    },
    async *encode({ sentences }) {
      const embeddings: Float32Array[] = [];
      for (const sentence of sentences) {
        await turn();
        if (sentence === 'crash') setImmediate(() => process.exit(3));
        embeddings.push(Float32Array.of(sentence.length, answered));
        yield;
      }
      answered++;
      return embeddings;
    },
    entropies: lengthsOf,
    surprisals: lengthsOf,
    async decode({ embeddings, lang }) {
      if (lang === 'none') throw new InvalidRequestError('language none: expected a known one');
      answered++;
      return embeddings.map(([first]) => ({ text: String(first), score: -1 }));
    },
    async predict({ context, options }, signal) {
      for (let step = 0; step < options.seed; step++) {
        signal.throwIfAborted();
        await turn();
      }
      answered++;
      return Array.from({ length: options.count }, (_, i) =>
        Float32Array.of(
          i,
          context.reduce((sum, [first = 0]) => sum + first, 0),
        ),
      );
    },
    async dispose() {},
  };
});

async function* lengthsOf(texts: readonly string[]): AsyncGenerator<undefined, Float32Array[]> {
  const lengths: Float32Array[] = [];
  for (const text of texts) {
    await turn();
    lengths.push(Float32Array.of(text.length));
    yield;
  }
  return lengths;
}
