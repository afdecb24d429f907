import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { InferenceClient } from '../../server/inference/client.ts';
import type { Precision } from '../../server/model/manifest.ts';
import { cosine } from '../../server/tensor/vector.ts';
import { runCli } from '../support/runCli.ts';

/*
 * What bytes and bits may cost: embeddings of plain sentences by the built-in model, beside those of
 * the same model in fp32. Its checkpoint is in fp16, which therefore costs nothing.
 */

const sentences = [
  'The bus was late again this morning.',
  'She closed the window because it was cold.',
  'Nobody remembered to feed the cat.',
  'We walked along the river until it got dark.',
  'My grandfather built this house with his own hands.',
  'The soup needs a little more salt.',
  'He read the letter twice and put it away.',
  'A dog was barking behind the fence.',
  'They had known each other since school.',
  'The price of bread has doubled in two years.',
  'I would rather stay at home tonight.',
  'The doctor told her to rest for a week.',
  'Snow covered the road to the village.',
  'Can you help me carry this table?',
  'The children laughed at the old joke.',
  'Water boils at a lower temperature in the mountains.',
  'He lost his keys somewhere between the office and the station.',
  'The museum is closed on Mondays.',
  'After the storm, the garden was full of broken branches.',
  'She plays the violin better than her teacher.',
  'The train stopped, and the lights went out.',
  'Most of the letters were never answered.',
  'It is easier to ask than to guess.',
  'The company plans to open a second factory next spring.',
  'He smiled, but he did not say a word.',
  'Three of the five bridges were destroyed in the war.',
  'There was a smell of coffee in the hall.',
  'The judge listened carefully to both sides.',
  'Her first book was about the birds of the island.',
  'When the music ended, everyone went home.',
];
const lang = 'eng_Latn';

const root = mkdtempSync(join(tmpdir(), 'thoughtline-precision-'));
let exact: Float32Array[];

before(async () => {
  exact = await encodeIn('fp32');
});
after(() => rmSync(root, { recursive: true, force: true }));

/** Compiles the model and returns its embeddings of the sentences. */
async function encodeIn(precision: Precision): Promise<Float32Array[]> {
  const out = join(root, precision);
  const source = (name: string) => join('models', 'builtin', name);
  const { status, stderr } = runCli([
    ...['compile', '--precision', precision, '--out', out, '--config', source('config.json')],
    ...['--encoder', source('encoder.safetensors'), '--decoder', source('decoder.safetensors')],
    ...['--tokenizer', source('tokenizer.model')],
  ]);
  assert.equal(status, 0, stderr);
  const client = new InferenceClient(resolve('dist', 'inferenceWorker.js'));
  try {
    await client.load(out, { device: 'cpu' });
    return await client.encode({ sentences, lang });
  } finally {
    await client.dispose();
  }
}

for (const [precision, least] of [
  ['int8', 0.999],
  ['int4', 0.99],
] as const) {
  test(`embeddings in ${precision} have a mean cosine of ${least} or more to those of fp32`, async () => {
    const found = await encodeIn(precision);
    const cosines = found.map((embedding, i) => cosine(embedding, exact[i] ?? embedding));
    const mean = cosines.reduce((sum, value) => sum + value) / cosines.length;
    assert.ok(mean >= least, `${mean}`);
    assert.ok(mean < 1, 'the precision changes the numbers');
  });
}
