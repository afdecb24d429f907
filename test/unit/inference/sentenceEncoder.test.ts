import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { encoderSignature } from '../../../server/inference/graphSession.ts';
import type { EncodeRequest } from '../../../server/inference/inference.ts';
import { lengthBatches, SentenceEncoder } from '../../../server/inference/sentenceEncoder.ts';
import type { EncoderEntry } from '../../../server/model/manifest.ts';
import { tensor } from '../../../server/tensor/tensor.ts';
import { FakeSession } from '../../support/fakeSession.ts';

const file = { file: 'encoder.onnx', sizeBytes: 0, sha256: '' };
const entry: EncoderEntry = {
  precision: 'fp32',
  modelDim: 2,
  maxSeqLen: 12,
  graph: { model: file, weights: file },
};

/** English is 40 and French 41, one token per character, </s> 3. */
const tokenizer = {
  encodeSource: (text: string, lang: string) => [
    lang === 'fra_Latn' ? 41 : 40,
    ...Array.from(text, (c) => c.charCodeAt(0)),
    3,
  ],
};

/** An encoder whose embedding is the number and the sum of the tokens that are not padding. */
function countingGraph(): FakeSession<typeof encoderSignature> {
  return new FakeSession(({ input_ids, attention_mask }) => {
    const [count = 0, length = 0] = input_ids.shape;
    const embeddings = new Float32Array(2 * count);
    for (let i = 0; i < count * length; i++) {
      const row = Math.floor(i / length);
      const isToken = attention_mask.data[i] === 1n;
      if (!isToken) assert.equal(input_ids.data[i], 0n);
      embeddings[2 * row] = (embeddings[2 * row] as number) + (isToken ? 1 : 0);
      embeddings[2 * row + 1] = (embeddings[2 * row + 1] as number) + Number(input_ids.data[i]);
    }
    return { sentence_embedding: tensor('float32', [count, 2], embeddings) };
  });
}

async function encode(
  sentences: readonly string[],
  graph = countingGraph(),
  options: Partial<EncodeRequest> = {},
): Promise<{ embeddings: Float32Array[]; pauses: number }> {
  const batches = new SentenceEncoder(graph, entry, tokenizer).encode({
    sentences,
    lang: 'eng_Latn',
    ...options,
  });
  for (let pauses = 0; ; pauses++) {
    const { done, value } = await batches.next();
    if (done) return { embeddings: value, pauses };
  }
}

const sentences = Array.from({ length: 700 }, (_, i) => 'abcdefghij'.slice(0, (i * 7) % 11));

test('batched is the same as one by one', async () => {
  const { embeddings } = await encode(sentences);
  for (const [i, sentence] of sentences.entries()) {
    assert.deepEqual([embeddings[i]], (await encode([sentence])).embeddings);
  }
});

test('no sentences give no embeddings and run nothing', async () => {
  const graph = countingGraph();
  assert.deepEqual((await encode([], graph)).embeddings, []);
  assert.equal(graph.runs.length, 0);
});

test('the empty sentence is its language and </s>', async () => {
  assert.deepEqual((await encode([''])).embeddings, [Float32Array.of(2, 43)]);
});

test('an over-long sentence loses its tail, </s> included', async () => {
  const { embeddings } = await encode(['a'.repeat(20_000)]);
  assert.deepEqual(embeddings, [Float32Array.of(12, 40 + 11 * 97)]);
});

test('an over-long sentence that is to be refused is named', async () => {
  const wanted = ['short', 'a'.repeat(10), 'b'.repeat(11)];
  const refused = { overlong: 'refused' } as const;
  await assert.rejects(encode(wanted, countingGraph(), refused), {
    code: 'invalidRequest',
    message: 'sentence 3: expected at most 12 tokens, found 13',
  });
  const fitting = wanted.slice(0, 2);
  assert.deepEqual(await encode(fitting, countingGraph(), refused), await encode(fitting));
});

test('every sentence has its own language, whatever batch it is in', async () => {
  const lang = sentences.map((_, i) => (i % 3 === 0 ? 'fra_Latn' : 'eng_Latn'));
  const mixed = await encode(sentences, countingGraph(), { lang });
  const french = await encode(sentences, countingGraph(), { lang: 'fra_Latn' });
  const english = await encode(sentences);
  for (const [i, embedding] of mixed.embeddings.entries()) {
    assert.deepEqual(embedding, (i % 3 === 0 ? french : english).embeddings[i]);
  }
  await assert.rejects(encode(sentences, countingGraph(), { lang: lang.slice(1) }), {
    code: 'invalidRequest',
    message: 'languages: expected 700, one for each sentence, found 699',
  });
});

test('there is a pause after every batch', async () => {
  const graph = countingGraph();
  const { pauses } = await encode(sentences, graph);
  assert.equal(pauses, graph.runs.length);
  assert.ok(pauses > 9);
});

test('an embedding that is not finite is an error', async () => {
  const graph = new FakeSession<typeof encoderSignature>(() => ({
    sentence_embedding: tensor('float32', [1, 2], Float32Array.of(1, Number.NaN)),
  }));
  await assert.rejects(encode(['a'], graph), {
    code: 'inferenceFailed',
    message: /sentence_embedding/,
  });
});

function lengths(...sizes: number[]): number[][] {
  const sources = sizes.map((length, index) => ({ index, ids: new Array<number>(length).fill(1) }));
  return lengthBatches(sources).map((batch) => batch.map(({ ids }) => ids.length));
}

test('sentences of similar length go together, shortest first', () => {
  assert.deepEqual(lengths(9, 3, 40, 5), [[3, 5], [9], [40]]);
  assert.deepEqual(lengths(), []);
});

test('a batch has a limited number of tokens and of sentences', () => {
  assert.deepEqual(lengths(600, 300, 300, 250, 250), [[250, 250], [300], [300], [600]]);
  const sizes = lengths(...new Array(70).fill(2)).map((batch) => batch.length);
  assert.deepEqual(sizes, [32, 32, 6]);
});
