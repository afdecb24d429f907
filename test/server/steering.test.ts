import assert from 'node:assert/strict';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { directionNames, type Pull } from '../../protocol/completion.ts';
import { conceptSpace, rawSpace } from '../../server/features/conceptSpace.ts';
import { samplingOptions } from '../../server/features/sampling.ts';
import { resolveSteering } from '../../server/features/steering.ts';
import { InferenceClient } from '../../server/inference/client.ts';
import type { LoadedModel } from '../../server/inference/inference.ts';
import { cosine } from '../../server/tensor/vector.ts';

/*
 * Steering with the built-in model as it ships: its directions have come through the compiler, and
 * what they move moves in the sentences that are written.
 */

const client = new InferenceClient(resolve('dist', 'inferenceWorker.js'));
const lang = 'eng_Latn';
const lcm = 'two-tower';
const text = [
  'The river rose for three days.',
  'People carried their furniture up to the second floor.',
  'On the fourth day the rain stopped.',
];
const phrase = 'We need more money for the schools.';
const strengths = [0, 0.5, 1];
let model: LoadedModel;

before(async () => {
  model = await client.load(join('dist', 'models', 'thoughtline-1'), { device: 'cpu' });
});
after(() => client.dispose());

/** Returns what is written at each strength, and its concepts, for the same six predictions. */
async function steer(pull: Pull) {
  const space = conceptSpace(model, lcm);
  const encode = (sentences: readonly string[]) => client.encode({ sentences, lang });
  const context = await encode(text);
  const options = samplingOptions(model, lcm, { count: 6 });
  const predictions = await client.predict({ context, options });
  const parts = {
    encode: async (sentences: readonly { text: string }[]) => {
      const embeddings = await encode(sentences.map((sentence) => sentence.text));
      return sentences.map((sentence, i) => {
        return { text: sentence.text, embedding: embeddings[i] ?? new Float32Array() };
      });
    },
    ...{ space, raw: rawSpace(model, lcm), lang, directions: model.directions },
  };
  const found: { texts: string[]; placed: Float32Array[] }[] = [];
  for (const strength of strengths) {
    const steering = await resolveSteering({ pulls: [pull], strength }, parts);
    const embeddings = steering === null ? predictions : predictions.map(steering.bend);
    const decoded = await client.decode({ embeddings, lang, beamSize: 1, maxSeqLen: 64 });
    const texts = decoded.map((sentence) => sentence.text);
    found.push({ texts, placed: (await encode(texts)).map(space) });
  }
  return { found, space };
}

const total = (numbers: readonly number[]) => numbers.reduce((sum, x) => sum + x, 0);

function assertRising(values: readonly number[], what: string) {
  for (const [i, value] of values.entries()) {
    assert.ok(i === 0 || value > (values[i - 1] ?? 0), `${what}: expected rising, found ${values}`);
  }
}

test('the built-in model can be bent in every direction that has a name', () => {
  assert.deepEqual(Object.keys(model.directions), [...directionNames]);
});

test('toward a phrase, every step of strength brings what is written nearer to it', async () => {
  const { found, space } = await steer({ kind: 'toward', text: phrase });
  const [target] = await client.encode({ sentences: [phrase], lang });
  assert.ok(target);
  const place = space(target);
  assertRising(
    found.map(({ placed }) => total(placed.map((x) => cosine(x, place)))),
    'nearness',
  );
});

test('shorter is shorter and longer is longer, in letters', async () => {
  const lengths = async (name: 'shorter' | 'longer') =>
    (await steer({ kind: 'direction', name })).found.map(({ texts }) => texts.join('').length);
  assertRising((await lengths('shorter')).toReversed(), 'shorter, backwards');
  assertRising(await lengths('longer'), 'longer');
});

test('the same steering with the same seed writes the same', async () => {
  const pull: Pull = { kind: 'direction', name: 'concrete' };
  assert.deepEqual((await steer(pull)).found, (await steer(pull)).found);
});
