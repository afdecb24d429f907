import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DecoderSteps } from '../../../server/inference/decoderSteps.ts';
import { wholeVocabulary } from '../../../server/inference/decoderVocabulary.ts';
import type {
  CarriedTensor,
  prepareSignature,
  stepSignature,
} from '../../../server/inference/graphSession.ts';
import { SentenceDecoder } from '../../../server/inference/sentenceDecoder.ts';
import type { DecoderEntry } from '../../../server/model/manifest.ts';
import { type Tensor, tensor } from '../../../server/tensor/tensor.ts';
import { FakeDevice } from '../../support/fakeDevice.ts';
import { FakeSession } from '../../support/fakeSession.ts';

const file = { file: '', sizeBytes: 0, sha256: '' };
const graph = { model: file, weights: file };
const entry: DecoderEntry = {
  precision: 'fp32',
  modelDim: 1,
  numLayers: 1,
  numAttnHeads: 1,
  headDim: 1,
  vocabSize: 4,
  maxSeqLen: 6,
  vocabInfo: { size: 4, unkIdx: 0, bosIdx: 1, eosIdx: 2, padIdx: 0 },
  shortlist: null,
  prepare: graph,
  step: graph,
};

/** The fake counts tokens as it is told, and any number is a token. */
const vocabulary = wholeVocabulary(entry.vocabSize);

/**
 * A decoder whose cache holds the tokens so far on a device. Its probabilities do not
 * matter: token 3 is always the best.
 *
 * @param failAfter  steps that succeed
 */
function decoderOn(device: FakeDevice, failAfter = Number.POSITIVE_INFINITY) {
  const histories: number[][][] = [];
  const prepare = new FakeSession<typeof prepareSignature>(({ sentence_embedding }) => ({
    encoder_hidden_states: tensor(
      'float32',
      [sentence_embedding.shape[0] ?? 0, 1, 1],
      new Float32Array(sentence_embedding.shape[0] ?? 0),
    ),
  }));
  const step = new FakeSession<typeof stepSignature>((feeds) => {
    if (histories.length === failAfter) throw new Error('broken');
    const { data, shape } = device.read(feeds.past_key_values);
    const length = feeds.ancestors.shape[1] ?? 0;
    const tokens = [...feeds.input_ids.data].map(Number);
    const rows = tokens.map((token, row) => {
      const places = feeds.ancestors.data.subarray(row * length, (row + 1) * length);
      return [...Array.from(places, (place) => data[Number(place)] ?? Number.NaN), token];
    });
    histories.push(rows);
    const count = rows.length;
    const size = (shape[2] ?? 0) + count;
    const present = tensor('float32', [1, 1, size, 1], Float32Array.of(...data, ...tokens));
    const k = Number(feeds.top_count.data[0]);
    const order = [3n, 2n, 1n, 0n].slice(0, k);
    const probabilities = order.map((_, i) => -0.5 - i);
    return {
      top_log_probs: tensor(
        'float32',
        [count, k],
        Float32Array.from(rows.flatMap(() => probabilities)),
      ),
      top_tokens: tensor('int64', [count, k], BigInt64Array.from(rows.flatMap(() => order))),
      scored_log_probs: tensor('float32', [count, 1], new Float32Array(count).fill(-1.5)),
      // The fake's types have tensors of the host only.
      present_key_values: device.keep(present) as CarriedTensor<'float32'> as Tensor<'float32'>,
    };
  });
  return { histories, graphs: { prepare, step } };
}

const embeddings = [Float32Array.of(1), Float32Array.of(2)];

test('the cache stays on the device from step to step, and rows follow their parents', async () => {
  const device = new FakeDevice();
  const { graphs, histories } = decoderOn(device);
  const steps = await DecoderSteps.start(graphs, { entry, vocabulary }, embeddings, 1);
  await steps.first(7, 1);
  await steps.next([5, 6], [1, 0], 1);
  await steps.next([8, 9], [1, 1], 1);
  assert.deepEqual(histories, [
    [[7], [7]],
    [
      [7, 5],
      [7, 6],
    ],
    [
      [7, 6, 8],
      [7, 6, 9],
    ],
  ]);
  assert.equal(device.held, 1);
  steps.dispose();
  assert.equal(device.held, 0);
});

const tokenizer = { prompt: (): [number, number] => [2, 1], decode: () => '' };

test('decoding gives the cache back at its end, when it fails and when it is cancelled', async () => {
  const device = new FakeDevice();
  const decode = (failAfter?: number, signal?: AbortSignal) =>
    new SentenceDecoder(decoderOn(device, failAfter).graphs, entry, tokenizer, vocabulary).decode(
      embeddings,
      { lang: 'any', beamSize: 2 },
      signal,
    );
  await decode();
  assert.equal(device.held, 0);
  for (const failAfter of [0, 1, 2]) {
    await assert.rejects(decode(failAfter), /broken/);
    assert.equal(device.held, 0);
  }
  const controller = new AbortController();
  const cancelled = decode(undefined, controller.signal);
  controller.abort();
  await assert.rejects(cancelled, { name: 'AbortError' });
  assert.equal(device.held, 0);
});
