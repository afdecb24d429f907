import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  denoiserSignature,
  encoderSignature,
  type Signature,
} from '../../../server/inference/graphSession.ts';
import { defaultThreadCount, OnnxSession } from '../../../server/inference/session.ts';
import { tensor } from '../../../server/tensor/tensor.ts';
import { openCompiled, tinyEncoder, tinyEncoderGraph } from '../../support/tinySessions.ts';

// Golden values: SONAR 8da24c2 with fairseq2 0.4.5, torch 2.13, CPU, float32, closed-form weights.

const graph = tinyEncoderGraph();

let session: OnnxSession<typeof encoderSignature>;
before(async () => {
  session = await openCompiled(graph, encoderSignature);
});
after(() => session.dispose());

const ids = tensor('int64', [2, 5], BigInt64Array.of(33n, 5n, 6n, 7n, 3n, 34n, 8n, 3n, 0n, 0n));
const mask = tensor('int64', [2, 5], BigInt64Array.of(1n, 1n, 1n, 1n, 1n, 1n, 1n, 1n, 0n, 0n));

test('a graph runs, and its results are the reference’s', async () => {
  const feeds = { input_ids: ids, attention_mask: mask };
  const { sentence_embedding } = await session.run(feeds, ['sentence_embedding']);
  assert.deepEqual(sentence_embedding.shape, [2, 32]);
  const expected = [0.16304384, -0.17624784, 0.71449298, -0.52413839];
  for (const [i, value] of expected.entries()) {
    const found = sentence_embedding.data[i] as number;
    assert.ok(Math.abs(found - value) < 2e-5, `${i}: ${value}, found ${found}`); // float32
  }
});

test('the encoder gives the same for a batch and for each sentence alone', async () => {
  const encoder = await tinyEncoder({
    encodeSource: (text) => [33, ...Array.from(text, (c) => 4 + (c.charCodeAt(0) % 28)), 3],
  });
  const sentences = [
    '',
    'a',
    'The harbour was quiet.',
    'Boats came in one by one.',
    'x'.repeat(999),
  ];
  const encode = async (batch: readonly string[]) => {
    const batches = encoder.encode({ sentences: batch, lang: 'eng_Latn' });
    for (;;) {
      const { done, value } = await batches.next();
      if (done) return value;
    }
  };
  const together = await encode(sentences);
  for (const [i, sentence] of sentences.entries()) {
    const [alone] = await encode([sentence]);
    for (const [d, value] of (together[i] as Float32Array).entries()) {
      assert.ok(Math.abs(value - (alone?.[d] ?? 0)) < 1e-5); // float32, other order of sums
    }
  }
  await encoder.dispose();
});

test('what the runtime refuses is an error with the name of the graph', async () => {
  const outside = tensor('int64', [1, 1], BigInt64Array.of(9999n));
  const feeds = {
    input_ids: outside,
    attention_mask: tensor('int64', [1, 1], BigInt64Array.of(1n)),
  };
  await assert.rejects(session.run(feeds, ['sentence_embedding']), {
    code: 'inferenceFailed',
    message: /^tiny graph: ONNX Runtime refused: /,
  });
});

/** Opens the encoder under another signature. */
async function checkRefused(signature: Signature, message: RegExp): Promise<void> {
  await assert.rejects(openCompiled(graph, signature), { code: 'inferenceFailed', message });
}

test('a graph with other inputs or outputs is refused by name', async () => {
  const { inputs, outputs } = encoderSignature;
  await checkRefused(denoiserSignature, /^tiny graph: expected inputs latents, timestep, /);
  await checkRefused(
    { inputs, outputs: { pooled: outputs.sentence_embedding } },
    /^tiny graph: expected outputs pooled, found sentence_embedding$/,
  );
  await checkRefused(
    { inputs: { ...inputs, input_ids: { type: 'int64', rank: 3 } }, outputs },
    /^tiny graph: input input_ids: expected int64 of rank 3, found int64 of rank 2$/,
  );
  await checkRefused(
    { inputs, outputs: { sentence_embedding: { type: 'int8', rank: 2 } } },
    /^tiny graph: output sentence_embedding: expected int8 of rank 2, found float32 of rank 2$/,
  );
});

test('a file that is no graph is refused by name', async () => {
  const file = { file: 'missing.onnx', sizeBytes: 0, sha256: '' };
  const entry = { model: file, weights: file };
  const options = { executionProviders: ['cpu'] };
  await assert.rejects(OnnxSession.create('.', entry, 'encoder', encoderSignature, options), {
    code: 'inferenceFailed',
    message: /^encoder: ONNX Runtime refused: /,
  });
});

test('small machines use all their cores and large ones four', () => {
  const counts = [1, 2, 4, 6, 8, 64].map((cores) => defaultThreadCount(cores));
  assert.deepEqual(counts, [1, 2, 4, 3, 4, 4]);
});
