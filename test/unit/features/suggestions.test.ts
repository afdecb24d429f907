import assert from 'node:assert/strict';
import { test } from 'node:test';
import { samplingDefaults } from '../../../server/features/sampling.ts';
import type { Concept, SourceSentence } from '../../../server/features/sentenceConcepts.ts';
import {
  predictSuggestions,
  readBack,
  type SuggestionOptions,
  type SuggestionParts,
  suggestSentences,
} from '../../../server/features/suggestions.ts';
import type { DecodeRequest, PredictRequest } from '../../../server/inference/inference.ts';
import type { ConfidenceEntry } from '../../../server/model/manifest.ts';
import { angleOf, atAngle } from '../../support/angles.ts';
import { FakeInference } from '../../support/fakeInference.ts';

/** Predicts given angles, and writes each as a sentence. */
class PlannedInference extends FakeInference {
  readonly #angles: readonly number[];
  readonly #write: (angle: number) => string;

  constructor(angles: readonly number[], write: (angle: number) => string) {
    super();
    this.#angles = angles;
    this.#write = write;
  }

  override async predict(request: PredictRequest): Promise<Float32Array[]> {
    this.predicted.push(request);
    return this.#angles.slice(0, request.options.count).map(atAngle);
  }

  override async decode({ embeddings }: DecodeRequest) {
    return embeddings.map((embedding) => ({ text: this.#write(angleOf(embedding)), score: -1 }));
  }
}

const letters = 'abcdefghij';

/** Writes an angle as a word: a number would be an invention. */
function word(angle: number): string {
  return String((angle + 360) % 360).replace(/\d/g, (digit) => letters[Number(digit)] ?? '');
}

function angleOfWord(text: string): number {
  return Number(text.replace(/[a-j]/g, (letter) => `${letters.indexOf(letter)}`));
}

const space = (embedding: Float32Array) => embedding;
const eos = { text: `End ${word(300)}`, lang: 'eng_Latn' };
const context = [{ text: `It is ${word(200)}`, embedding: atAngle(200) }];

/** Reads the angle that stands last in a sentence. */
async function encode(sentences: readonly SourceSentence[]): Promise<Concept[]> {
  return sentences.map(({ text }) => {
    return { text, embedding: atAngle(angleOfWord(text.split(' ').at(-1) ?? '')) };
  });
}

interface Plan {
  angles: readonly number[];
  /** How the angle is written; as a word when absent. */
  write?: (angle: number) => string;
  own?: readonly string[];
  surroundings?: string;
  count?: number;
  hasEntropies?: boolean;
  confidence?: ConfidenceEntry;
  taken?: readonly number[];
}

async function suggest({ angles, write = word, own, hasEntropies = false, ...plan }: Plan) {
  const { surroundings = '', count = 3, confidence = null, taken = [] } = plan;
  const inference = new PlannedInference(angles, write);
  const asked: number[] = [];
  const parts: SuggestionParts = { inference, encode, space, hasEntropies, confidence };
  if (own !== undefined) {
    parts.findOwn = async (most) => {
      asked.push(most);
      return encode(own.map((text) => ({ text, lang: '' })));
    };
  }
  const options: SuggestionOptions = {
    sampling: { ...samplingDefaults, count },
    steering: null,
    lang: 'eng_Latn',
    beamSize: 1,
    maxSeqLen: 64,
    eos,
    surroundings,
    findTaken: async () => taken.map((angle) => ({ text: '', embedding: atAngle(angle) })),
  };
  const suggestions = await suggestSentences(parts, context, options);
  return { inference, asked, suggestions, texts: suggestions.map(({ text }) => text) };
}

test('twice as many are predicted as are wanted, and the best that differ are kept', async () => {
  // Each reads five degrees more for every ten of its own.
  const write = (angle: number) => word(angle + angle / 2);
  const { inference, texts } = await suggest({ angles: [80, 60, 0, 4, 2, 40], write, count: 2 });
  assert.equal(inference.predicted[0]?.options.count, 4);
  assert.deepEqual(texts, [word(0), word(90)]);
});

test('no more are predicted than one request takes', async () => {
  const { inference } = await suggest({ angles: [0], count: 50 });
  assert.equal(inference.predicted[0]?.options.count, 64);
});

test('what stands in the text is not offered, by wording or by meaning', async () => {
  const write = (angle: number) => `It is about ${word(angle)}`;
  const surroundings = `So it is about ${word(60)}. It is about ${word(0)}, they say.`;
  const { texts } = await suggest({ angles: [0, 90, 190, 60, 130, 330], write, surroundings });
  // 190 says what 200 says, 330 that the text ends.
  assert.deepEqual(texts, [`It is about ${word(90)}`, `It is about ${word(130)}`]);
});

test('where the model reads bytes, a name that begins a suggestion is an invention as well', async () => {
  const write = (angle: number) => `${angle === 0 ? 'Zoë' : 'Then'} sees ${word(angle)}`;
  const angles = [0, 90];
  assert.equal((await suggest({ angles, write })).texts.length, 2);
  const guarded = await suggest({ angles, write, hasEntropies: true });
  assert.deepEqual(guarded.texts, [write(90)]);
  const known = { angles, write, hasEntropies: true, surroundings: 'Where is Zoë?' };
  assert.equal((await suggest(known)).texts.length, 2);
});

test('what stands elsewhere is not offered, by meaning', async () => {
  const { texts } = await suggest({ angles: [0, 90, 45], taken: [5, 95] });
  assert.deepEqual(texts, [word(45)]);
});

test('a model that is sure of something says so, and puts it first', async () => {
  const entry = { langs: ['eng_Latn'], bias: 0, support: 0, agreement: 0, score: 0, surprisal: 0 };
  const confidence = { ...entry, logLength: -1 };
  const write = (angle: number) => (angle === 0 ? `It is ${word(0)}` : word(angle));
  const plan = { angles: [0, 90], write, hasEntropies: true };
  const judged = await suggest({ ...plan, confidence });
  assert.deepEqual(judged.texts, [word(90), write(0)]);
  const lengths = judged.texts.map(({ length }) => 1 / (1 + length));
  for (const [i, one] of judged.suggestions.entries()) {
    assert.ok(Math.abs((one.confidence ?? 0) - (lengths[i] ?? 0)) < 1e-9);
  }
  const others = [
    { ...plan, confidence: { ...confidence, langs: ['fra_Latn'] } },
    { ...plan, confidence, hasEntropies: false },
    plan,
  ];
  for (const other of others) {
    const { suggestions } = await suggest(other);
    assert.ok(suggestions.every((one) => one.confidence === null));
  }
});

test('sentences that cannot be read are dropped before anything else', async () => {
  const write = (angle: number) => (angle === 0 ? 'so so so so a' : word(angle));
  assert.deepEqual((await suggest({ angles: [0, 90], write })).texts, [word(90)]);
});

test('the writer’s own stand among the others, marked, where they say what is predicted', async () => {
  const plan = {
    angles: [0, 40, 80, 120],
    own: [`So it was ${word(60)}`, `It is ${word(200)}`, '⁇ ca'],
  };
  const { asked, suggestions } = await suggest({ ...plan, count: 4 });
  assert.deepEqual(asked, [4]);
  const own = suggestions.filter(({ origin }) => origin === 'own');
  assert.deepEqual(
    own.map(({ text }) => text),
    [`So it was ${word(60)}`],
  );
  assert.equal(suggestions[0], own[0]);
  assert.ok(Math.abs((own[0]?.agreement ?? 0) - Math.cos(Math.PI / 9)) < 1e-6);
});

test('what invents a name gives way, but not to what the writer said elsewhere', async () => {
  const write = (angle: number) => (angle === 0 ? `He saw Anna at ${word(0)}` : word(angle));
  assert.deepEqual((await suggest({ angles: [0, 90], write })).texts, [word(90)]);
  const told = { angles: [0, 90], write, surroundings: 'She is called Anna.' };
  assert.equal((await suggest(told)).texts.length, 2);
  const own = [`We met Anna at ${word(135)}`];
  assert.equal((await suggest({ angles: [0, 90], write, own })).texts.length, 3);
});

test('without a context nothing is suggested, and nobody is asked', async () => {
  const inference = new FakeInference();
  const parts = { inference, encode, space, findOwn: () => assert.fail('asked') };
  const options = {
    sampling: samplingDefaults,
    steering: null,
    lang: '',
    beamSize: 1,
    maxSeqLen: 8,
    surroundings: '',
  };
  assert.deepEqual(await suggestSentences(parts, [], { ...options, eos }), []);
  assert.deepEqual(inference.predicted, []);
});

test('what steers bends every prediction before it is written', async () => {
  const steering = { key: '', bend: (x: Float32Array) => atAngle(angleOf(x) + 7) };
  const inference = new PlannedInference([0, 90], word);
  const options = { sampling: { ...samplingDefaults, count: 1 }, steering };
  const bent = await predictSuggestions({ inference }, context, options);
  assert.deepEqual(bent.map(angleOf), [7, 97]);
  const free = await predictSuggestions({ inference }, context, { ...options, steering: null });
  assert.deepEqual(free, [atAngle(0), atAngle(90)]);
});

test('reading back gives the cosine of what was meant and what was said', async () => {
  const sentence = { text: `It is ${word(60)}`, score: -2, embedding: atAngle(0) };
  const [read] = await readBack([sentence], { encode, space, lang: 'eng_Latn' });
  assert.ok(Math.abs((read?.agreement ?? 0) - 0.5) < 1e-6);
  assert.deepEqual(read, {
    ...sentence,
    origin: 'model',
    concept: atAngle(60),
    agreement: read?.agreement,
    fidelity: read?.agreement,
    surprisal: null,
    confidence: null,
  });
});
