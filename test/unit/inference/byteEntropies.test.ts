import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteEntropies } from '../../../server/inference/byteEntropies.ts';
import type { entropySignature } from '../../../server/inference/graphSession.ts';
import { tensor } from '../../../server/tensor/tensor.ts';
import { byteIds } from '../../../server/text/patching.ts';
import { FakeSession } from '../../support/fakeSession.ts';

const file = { file: 'entropy.onnx', sizeBytes: 0, sha256: '' };
const entry = { precision: 'fp32', maxSeqLen: 8, graph: { model: file, weights: file } } as const;

/** Its entropy is the id itself plus a hundredth of what it can look back to, its surprisal the next id. */
function lookingBack(): FakeSession<typeof entropySignature> {
  return new FakeSession(({ input_ids }) => {
    const [, length = 0] = input_ids.shape;
    const values = Float32Array.from(input_ids.data, (id, i) => Number(id) + (i % length) / 100);
    const next = Float32Array.from(values, (_, i) => Number(input_ids.data[i + 1] ?? 0n));
    return {
      entropy: tensor('float32', input_ids.shape, values),
      surprisal: tensor('float32', input_ids.shape, next),
    };
  });
}

async function read(texts: readonly string[], graph = lookingBack()): Promise<Float32Array[]> {
  const batches = new ByteEntropies(graph, entry).entropies(texts);
  for (;;) {
    const { done, value } = await batches.next();
    if (done) return value;
  }
}

test('there is an entropy before every byte and one after the last', async () => {
  const [empty, accent] = await read(['', 'é']);
  assert.deepEqual(empty, Float32Array.of(1));
  assert.deepEqual(accent, Float32Array.of(1, 199.01, 173.02));
});

test('texts of any length in one request are as each alone, in order', async () => {
  const texts = ['abc', '', 'abcdefghijklmnopqrstuvwxyz', 'Zoë', 'abcdefg', 'abcdefgh'];
  const together = await read(texts);
  for (const [i, text] of texts.entries()) {
    assert.deepEqual([together[i]], await read([text]), text);
  }
});

test('a long text is read in windows: each byte once, with half a window before it at least', async () => {
  const text = 'abcdefghijklmnopqrstuvwxyz';
  const graph = lookingBack();
  const [entropies] = await read([text], graph);
  for (const [i, id] of byteIds(text).entries()) {
    const entropy = entropies?.[i] ?? Number.NaN;
    assert.equal(Math.floor(entropy + 0.001), id);
    const seen = Math.round((entropy - id) * 100);
    assert.equal(seen, i < 7 ? i : 3 + ((i + 1) % 4));
  }
  const firsts = graph.runs.flatMap(({ input_ids: { data, shape } }) =>
    Array.from({ length: shape[0] ?? 0 }, (_, row) => data[row * (shape[1] ?? 0)]),
  );
  assert.ok(firsts.every((id) => id === 1n));
});

test('surprisals are about every byte, whatever window it is in', async () => {
  const texts = ['abcdefghijklmnopqrstuvwxyz', '', 'abcdefg', 'abcdefgh', 'é'];
  const batches = new ByteEntropies(lookingBack(), entry).surprisals(texts);
  for (;;) {
    const { done, value } = await batches.next();
    if (!done) continue;
    assert.deepEqual(
      value.map((surprisals) => [...surprisals]),
      texts.map((text) => byteIds(text).slice(1)),
    );
    return;
  }
});

test('entropies that are not finite are an error', async () => {
  const broken = new FakeSession<typeof entropySignature>(({ input_ids: { shape, data } }) => ({
    entropy: tensor('float32', shape, new Float32Array(data.length).fill(Number.NaN)),
    surprisal: tensor('float32', shape, new Float32Array(data.length)),
  }));
  await assert.rejects(read(['a'], broken), { code: 'inferenceFailed' });
});
