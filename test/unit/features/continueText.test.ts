import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type ContinueTextOptions,
  continueText,
  endsText,
} from '../../../server/features/continueText.ts';
import { samplingDefaults } from '../../../server/features/sampling.ts';
import type { Concept } from '../../../server/features/sentenceConcepts.ts';
import type {
  DecodeRequest,
  Generation,
  PredictRequest,
} from '../../../server/inference/inference.ts';
import { lcmGeneration, sonarLlmGeneration } from '../../../server/model/parseGeneration.ts';
import { angleOf, atAngle as at } from '../../support/angles.ts';
import { FakeInference } from '../../support/fakeInference.ts';

const eosAngle = 90;

/** Predicts angles in turn, and writes each as a sentence that reads as half a degree more. */
class PlannedInference extends FakeInference {
  readonly #angles: readonly number[];

  constructor(angles: readonly number[]) {
    super();
    this.#angles = angles;
  }

  override async predict(request: PredictRequest, signal?: AbortSignal): Promise<Float32Array[]> {
    signal?.throwIfAborted();
    const angle = this.#angles[this.predicted.length] ?? assert.fail('asked too often');
    this.predicted.push(request);
    return [at(angle)];
  }

  override async decode({ embeddings }: DecodeRequest) {
    return embeddings.map((embedding) => ({ text: `${angleOf(embedding)}`, score: -1 }));
  }
}

async function encode(sentences: readonly { text: string }[]): Promise<Concept[]> {
  return sentences.map(({ text }) => {
    const angle = text.startsWith('End') ? eosAngle : Number(text) + 0.5;
    return { text, embedding: text.startsWith('Begin') ? at(-90) : at(angle) };
  });
}

const context = [{ text: '0', embedding: at(0) }];

function options(generation: Generation, maxGenLen = 10): ContinueTextOptions {
  const sampling = { ...samplingDefaults, seed: 5 };
  return { generation, maxGenLen, sampling, lang: 'eng_Latn', beamSize: 1, maxSeqLen: 64 };
}

/** Continues with the given predictions, and returns the sentences and what was asked. */
async function write(angles: readonly number[], generation: Generation, maxGenLen?: number) {
  const inference = new PlannedInference(angles);
  const texts: string[] = [];
  for await (const { text } of continueText(
    inference,
    context,
    encode,
    options(generation, maxGenLen),
  )) {
    texts.push(text);
  }
  return { texts, predicted: inference.predicted };
}

for (const [name, angles, generation, expected] of [
  ['the end ends a text', [40, 0, 90], lcmGeneration, ['40', '0']],
  ['what is near the end ends it', [40, 70], lcmGeneration, ['40']],
  ['what is not near enough does not', [40, -20, 60, 90], lcmGeneration, ['40', '-20', '60']],
  ['the first is never the end', [90, 0, 90], lcmGeneration, ['90', '0']],
  ['a repetition ends a text', [40, 0, 20], lcmGeneration, ['40', '0']],
  ['the first may repeat the writer', [10, 60, 90], lcmGeneration, ['10', '60']],
  ['an older sentence may come again', [40, 0, 40, 90], lcmGeneration, ['40', '0', '40']],
  ['SONAR-LLM: the end ends a text', [40, 0, 90], sonarLlmGeneration, ['40', '0']],
  ['SONAR-LLM: the first may be the end', [90], sonarLlmGeneration, []],
  ['SONAR-LLM: near is not enough', [70, 90], sonarLlmGeneration, ['70']],
  ['SONAR-LLM: it may repeat itself', [40, 40, 90], sonarLlmGeneration, ['40', '40']],
] as const) {
  test(name, async () => assert.deepEqual((await write(angles, generation)).texts, expected));
}

test('a text has at most so many sentences', async () => {
  assert.deepEqual((await write([40, 0, 40, 0], lcmGeneration, 3)).texts, ['40', '0', '40']);
});

test('a large concept model reads the concepts that it predicted', async () => {
  const { predicted } = await write([40, 0, 90], lcmGeneration);
  assert.deepEqual(
    predicted.map(({ context: read }) => read),
    [[at(0)], [at(0), at(40)], [at(0), at(40), at(0)]],
  );
});

test('a SONAR-LLM reads the sentences that were written, after the one that begins', async () => {
  const generation = { ...sonarLlmGeneration, beginText: 'Begin of text.' };
  const { predicted } = await write([40, 0, 90], generation);
  assert.deepEqual(
    predicted.map(({ context: read }) => read),
    [
      [at(-90), at(0)],
      [at(-90), at(0), at(40.5)],
      [at(-90), at(0), at(40.5), at(0.5)],
    ],
  );
});

test('each sentence has a seed of its own, and one candidate', async () => {
  const { predicted } = await write([40, 0, 90], lcmGeneration);
  assert.deepEqual(
    predicted.map(({ options: { seed, count } }) => [seed, count]),
    [
      [5, 1],
      [6, 1],
      [7, 1],
    ],
  );
});

test('sentences come as they are written, and no more are asked for than are read', async () => {
  const inference = new PlannedInference([40, 0]);
  const sentences = continueText(inference, context, encode, options(lcmGeneration));
  assert.equal((await sentences.next()).value?.text, '40');
  assert.equal(inference.predicted.length, 1);
  await sentences.return(undefined);
});

test('an aborted signal ends it between two sentences', async () => {
  const controller = new AbortController();
  const inference = new PlannedInference([40, 0]);
  const sentences = continueText(
    inference,
    context,
    encode,
    options(lcmGeneration),
    controller.signal,
  );
  await sentences.next();
  controller.abort();
  await assert.rejects(sentences.next(), { name: 'AbortError' });
  assert.equal(inference.predicted.length, 1);
});

test('no context gives no sentence and asks no model', async () => {
  const inference = new PlannedInference([]);
  const sentences = continueText(inference, [], encode, options(lcmGeneration));
  assert.equal((await sentences.next()).done, true);
});

test('a text ends where the thresholds say', () => {
  const generation = { ...lcmGeneration, eosThreshold: 0.5, repetitionThreshold: 0.5 };
  for (const [vector, previous, generated, expected] of [
    [31, -90, 1, true],
    [29, -90, 1, false],
    [31, -90, 0, false],
    [0, -59, 1, true],
    [0, -61, 1, false],
    [0, 0, 0, false],
  ] as const) {
    const concept = { vector: at(vector), previous: at(previous), eos: at(90), generated };
    assert.equal(endsText(concept, generation), expected, `${vector} ${previous} ${generated}`);
  }
});
