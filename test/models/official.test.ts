import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { InferenceClient } from '../../server/inference/client.ts';
import { cosine } from '../../server/tensor/vector.ts';
import { runCli } from '../support/runCli.ts';

/*
 * What the authors' own tests expect of the official SONAR weights, in fp32, from the files in
 * $THOUGHTLINE_MODELS under the names they are published with.
 *
 * Source: tests/integration_tests/test_text_sonar.py of facebookresearch/SONAR; huggingface
 * transformers pull request 29646, tests of M2M100EncoderModel.
 */

const english = ['Hello, my name is Paul', "I'm working as a teacher"];
const french = ['Bonjour, mon nom est Paul', 'Je travaille comme professeur.'];

const root = mkdtempSync(join(tmpdir(), 'thoughtline-official-'));
const inference = new InferenceClient(resolve('dist', 'inferenceWorker.js'));

before(async () => {
  const at = (file: string) => join(process.env['THOUGHTLINE_MODELS'] ?? '', file);
  const out = join(root, 'sonar');
  const { status, stderr } = await runCli([
    ...['compile', '--precision', 'fp32', '--out', out],
    ...['--encoder', at('sonar_text_encoder.pt'), '--decoder', at('sonar_text_decoder.pt')],
    ...['--tokenizer', at('sentencepiece.source.256000.model')],
  ]);
  assert.equal(status, 0, stderr);
  await inference.load(out, { device: 'cpu' });
});
after(async () => {
  await inference.dispose();
  rmSync(root, { recursive: true, force: true });
});

test('sentences and their translations are as near as the authors measured', async () => {
  const rows = await inference.encode({ sentences: english, lang: 'eng_Latn' });
  const columns = await inference.encode({ sentences: french, lang: 'fra_Latn' });
  const expected = [
    [0.9367, 0.3658],
    [0.3787, 0.8596],
  ];
  for (const [i, row] of rows.entries()) {
    for (const [j, column] of columns.entries()) {
      const found = cosine(row, column);
      const wanted = expected[i]?.[j] ?? Number.NaN;
      // Four digits are published.
      assert.ok(Math.abs(found - wanted) < 2e-4, `${i}, ${j}: expected ${wanted}, found ${found}`);
    }
  }
});

test('English concepts are written in French as the authors saw them', async () => {
  const embeddings = await inference.encode({ sentences: english, lang: 'eng_Latn' });
  const written = await inference.decode({ embeddings, lang: 'fra_Latn', beamSize: 5 });
  assert.deepEqual(
    written.map(({ text }) => text),
    french,
  );
});

test('embeddings begin with the published numbers', async () => {
  const sentences = ['My name is SONAR.', 'I can embed the sentences into vectorial space.'];
  const embeddings = await inference.encode({ sentences, lang: 'eng_Latn' });
  const expected = [
    [-0.005286, 0.002008, -0.000562, 0.006344, 0.006329],
    [-0.00033, -0.007055, 0.007644, 0.001841, 0.003727],
  ];
  for (const [i, embedding] of embeddings.entries()) {
    for (const [j, wanted] of (expected[i] ?? []).entries()) {
      // Six digits after the point are published.
      assert.ok(Math.abs((embedding[j] ?? Number.NaN) - wanted) < 1e-5, `${i}, ${j}`);
    }
  }
});

test('a concept is written again as the sentence that it came from', async () => {
  const sentences = ['My name is SONAR.'];
  const embeddings = await inference.encode({ sentences, lang: 'eng_Latn' });
  for (const [lang, text] of [
    ['eng_Latn', 'My name is SONAR.'],
    ['fra_Latn', 'Mon nom est SONAR.'],
  ] as const) {
    const [written] = await inference.decode({ embeddings, lang, beamSize: 5 });
    assert.equal(written?.text, text);
  }
});
