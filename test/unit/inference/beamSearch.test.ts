import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type BeamSearchOptions,
  type BeamVocabulary,
  beamSearch,
  beamSearchDefaults,
  type DecodeStep,
  type Hypothesis,
  type Prompt,
} from '../../../server/inference/beamSearch.ts';
import { Random } from '../../../server/tensor/random.ts';

const vocabulary: BeamVocabulary = { size: 12, eosIdx: 3, padIdx: 1, unkIdx: 2 };
const defaults: BeamSearchOptions = { ...beamSearchDefaults, maxSeqLen: 8 };

/** log p of the next token after a sequence: arbitrary, but always the same. */
type LogProbs = (tokens: readonly number[]) => Float32Array;

function randomLogProbs(seed: number): LogProbs {
  return (tokens) => {
    const stream = tokens.reduce((hash, token) => (hash * 31 + token + 1) % 65521, 7);
    const logits = new Random(seed, stream).gaussians(vocabulary.size).map((x) => 2 * x);
    const logSum = Math.log(logits.reduce((sum, x) => sum + Math.exp(x), 0));
    return logits.map((x) => x - logSum);
  };
}

/** A model without cache, which keeps the tokens of every row instead. */
function modelStep(logProbs: LogProbs, counts: number[] = []): DecodeStep {
  let sequences: number[][] = [];
  return async (tokens, parents, topCount) => {
    counts.push(tokens.length);
    sequences = tokens.map((token, row) => [...(sequences[parents[row] as number] ?? []), token]);
    const rows = sequences.map((sequence) => logProbs(sequence));
    const best = rows.map((row) =>
      [...row.entries()].sort((a, b) => b[1] - a[1]).slice(0, topCount),
    );
    return {
      topLogProbs: Float32Array.from(best.flat(), ([, logProb]) => logProb),
      topTokens: BigInt64Array.from(best.flat(), ([token]) => BigInt(token)),
      eosLogProbs: Float32Array.from(rows, (row) => row[vocabulary.eosIdx] as number),
    };
  };
}

/** The same algorithm in plain loops over whole sequences, one prompt at a time. */
function plainBeamSearch(
  logProbs: LogProbs,
  prompt: Prompt,
  options: BeamSearchOptions,
): Omit<Hypothesis, 'stepScores'>[] {
  const { size, eosIdx, padIdx, unkIdx } = vocabulary;
  const { beamSize, maxSeqLen, minGenLen, lenPenalty, normalizeScores, unkPenalty } = options;
  const minLen = Math.min(maxSeqLen, 2 + minGenLen);
  let beams = [{ tokens: [prompt.token], score: prompt.score }];
  const finished: Omit<Hypothesis, 'stepScores'>[] = [];
  for (let n = 2; n < maxSeqLen; n++) {
    const candidates = beams.flatMap(({ tokens, score }) =>
      Array.from(logProbs(tokens), (logProb, token) => {
        const isBanned =
          n === maxSeqLen - 1
            ? token !== eosIdx
            : token === padIdx || (token === eosIdx && n < minLen - 1);
        const penalty = token === unkIdx ? unkPenalty : 0;
        const total = isBanned ? Number.NEGATIVE_INFINITY : score + logProb - penalty;
        return { tokens: [...tokens, token], token, score: total };
      }),
    );
    candidates.sort((a, b) => b.score - a.score);
    const best = candidates.slice(0, Math.min(2 * beamSize, size)).filter((c) => c.score > -1e30);
    const ends = best.slice(0, beamSize).filter(({ token }) => token === eosIdx);
    for (const { tokens, score } of ends) {
      const total = normalizeScores ? score / n ** lenPenalty : score;
      if (finished.length < beamSize) finished.push({ tokens: tokens.slice(1), score: total });
    }
    if (finished.length === beamSize) break;
    beams = best.filter(({ token }) => token !== eosIdx || ends.length === 0).slice(0, beamSize);
  }
  return finished.sort((a, b) => b.score - a.score);
}

const prompts: readonly Prompt[] = [
  { token: 4, score: -1.5 },
  { token: 5, score: -0.25 },
  { token: 6, score: -3 },
];

/** Compares all prompts in one search with the plain loops, for a few models. */
async function check(change: Partial<BeamSearchOptions>): Promise<void> {
  const options = { ...defaults, ...change };
  for (let seed = 1; seed <= 8; seed++) {
    const logProbs = randomLogProbs(seed);
    const found = await beamSearch(modelStep(logProbs), prompts, options, vocabulary);
    for (const [i, prompt] of prompts.entries()) {
      const expected = plainBeamSearch(logProbs, prompt, options);
      const hypotheses = found[i] as Hypothesis[];
      assert.deepEqual(
        hypotheses.map(({ tokens, score }) => ({ tokens, score: score.toFixed(4) })),
        expected.map(({ tokens, score }) => ({ tokens, score: score.toFixed(4) })),
      );
    }
  }
}

test('many prompts at once give what plain loops give one by one', async () => {
  for (const beamSize of [1, 2, 3, 5]) await check({ beamSize });
});

test('lengths, penalties and normalisation are those of the plain loops', async () => {
  await check({ minGenLen: 4 });
  await check({ lenPenalty: 0.5 });
  await check({ normalizeScores: false });
  await check({ unkPenalty: 1.5, beamSize: 2 });
  await check({ maxSeqLen: 3 });
  await check({ maxSeqLen: 20, beamSize: 4 });
});

test('a beam of one takes the best token each time', async () => {
  const logProbs = randomLogProbs(3);
  const options = { ...defaults, beamSize: 1 };
  const prompt = { token: 4, score: 0 };
  const [[best] = []] = await beamSearch(modelStep(logProbs), [prompt], options, vocabulary);
  const tokens = [prompt.token];
  while (tokens.at(-1) !== vocabulary.eosIdx && tokens.length < options.maxSeqLen - 2) {
    const row = logProbs(tokens);
    row[vocabulary.padIdx] = Number.NEGATIVE_INFINITY;
    tokens.push(row.indexOf(Math.max(...row)));
  }
  if (tokens.at(-1) !== vocabulary.eosIdx) tokens.push(vocabulary.eosIdx);
  assert.deepEqual(best?.tokens, tokens.slice(1));
});

test('the scores of the tokens add up to the score of the sequence', async () => {
  const options = { ...defaults, normalizeScores: false };
  const step = modelStep(randomLogProbs(2));
  for (const hypotheses of await beamSearch(step, prompts, options, vocabulary)) {
    for (const { tokens, score, stepScores } of hypotheses) {
      assert.equal(stepScores.length, tokens.length);
      const sum = stepScores.reduce((total, x) => total + x, 0);
      assert.ok(Math.abs(sum - score) < 1e-9);
    }
  }
});

test('a model that never ends is ended at the limit', async () => {
  const logProbs: LogProbs = () => Float32Array.from({ length: 12 }, (_, t) => (t === 7 ? 0 : -20));
  const options = { ...defaults, beamSize: 1, maxSeqLen: 30 };
  const [[best] = []] = await beamSearch(modelStep(logProbs), prompts, options, vocabulary);
  assert.deepEqual(best?.tokens, [...new Array(27).fill(7), 3]);
});

test('finished prompts leave the batch', async () => {
  const counts: number[] = [];
  const logProbs: LogProbs = ([first]) =>
    Float32Array.from({ length: 12 }, (_, t) => (t === (first === 5 ? 7 : 3) ? 0 : -20));
  const options = { ...defaults, beamSize: 1 };
  await beamSearch(modelStep(logProbs, counts), prompts, options, vocabulary);
  assert.deepEqual(counts, [3, 1, 1, 1, 1, 1]);
});

test('a model that says NaN gives no hypothesis', async () => {
  const step = modelStep(() => new Float32Array(12).fill(Number.NaN));
  assert.deepEqual(await beamSearch(step, prompts, defaults, vocabulary), [[], [], []]);
});

test('an aborted search stops before its next step', async () => {
  const controller = new AbortController();
  const counts: number[] = [];
  const model = modelStep(randomLogProbs(1), counts);
  const step: DecodeStep = async (...parameters) => {
    if (counts.length === 2) controller.abort();
    return model(...parameters);
  };
  const search = beamSearch(step, prompts, defaults, vocabulary, controller.signal);
  await assert.rejects(search, { name: 'AbortError' });
  assert.equal(counts.length, 3);
});
