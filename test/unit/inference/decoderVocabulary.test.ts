import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IntegrityError } from '../../../server/base/errors.ts';
import {
  beamSearch,
  beamSearchDefaults,
  type DecodeStep,
} from '../../../server/inference/beamSearch.ts';
import { DecoderSteps } from '../../../server/inference/decoderSteps.ts';
import { parseShortlist, wholeVocabulary } from '../../../server/inference/decoderVocabulary.ts';
import { precisions } from '../../../server/model/manifest.ts';
import { embeddings } from '../../golden/beamSearch.ts';
import {
  openTinyDecoder,
  type TinyDecoderOptions,
  tinyDecoder,
} from '../../support/tinySessions.ts';

const vocabSize = 40;
const eosIdx = 3;
const lang = 34;
const all = Array.from({ length: vocabSize }, (_, id) => id);
const isControl = (id: number) => id < 4 || id > 32;

const shortlists: Readonly<Record<string, readonly number[]>> = {
  'all tokens': all,
  'every other token': all.filter((id) => isControl(id) || id % 2 === 1),
  'the first half': all.filter((id) => isControl(id) || id < 18),
  'two tokens': all.filter((id) => isControl(id) || id === 9 || id === 30),
};

/**
 * What `steps` of a whole vocabulary say when all other tokens are forbidden: their logits are −∞,
 * so the probabilities of those that stay are divided by their sum.
 */
function onlyAmong(steps: DecoderSteps, kept: readonly number[]) {
  const next: DecodeStep = async (tokens, parents, topCount) => {
    const { topLogProbs, topTokens } = await steps.next(tokens, parents, vocabSize);
    const rows = tokens.map((_, row) => {
      const ranked = Array.from(all, (i) => ({
        token: Number(topTokens[row * vocabSize + i]),
        logProb: topLogProbs[row * vocabSize + i] as number,
      })).filter(({ token }) => kept.includes(token));
      const sum = ranked.reduce((total, { logProb }) => total + Math.exp(logProb), 0);
      return ranked.map(({ token, logProb }) => ({ token, logProb: logProb - Math.log(sum) }));
    });
    const top = rows.flatMap((ranked) => ranked.slice(0, topCount));
    return {
      topLogProbs: Float32Array.from(top, ({ logProb }) => logProb),
      topTokens: BigInt64Array.from(top, ({ token }) => BigInt(token)),
      eosLogProbs: Float32Array.from(rows, (row) => logProbOf(row, eosIdx)),
    };
  };
  return next;
}

function logProbOf(row: readonly { token: number; logProb: number }[], token: number): number {
  return row.find((candidate) => candidate.token === token)?.logProb ?? Number.NaN;
}

/** The hypotheses of the whole vocabulary with all other tokens forbidden. */
async function forbidding(options: TinyDecoderOptions, kept: readonly number[], beamSize: number) {
  const { graphs, entry, vocabulary } = await openTinyDecoder(options);
  const steps = await DecoderSteps.start(graphs, { entry, vocabulary }, embeddings, 1);
  const next = onlyAmong(steps, kept);
  const rows = embeddings.map((_, row) => row);
  const first = await next(
    rows.map(() => eosIdx),
    rows,
    kept.length,
  );
  const prompts = rows.map((row) => {
    const place = first.topTokens.indexOf(BigInt(lang), row * kept.length);
    return { token: lang, score: first.topLogProbs[place] as number };
  });
  const settings = { ...beamSearchDefaults, beamSize, maxSeqLen: entry.maxSeqLen };
  const found = await beamSearch(next, prompts, settings, {
    ...entry.vocabInfo,
    size: kept.length,
  });
  for (const graph of Object.values(graphs)) await graph.dispose();
  return found;
}

const tokenizer = { prompt: (): [number, number] => [eosIdx, lang], decode: () => '' };

async function checkShortlist(options: TinyDecoderOptions, name: string): Promise<void> {
  const kept = shortlists[name] ?? [];
  const decoder = await tinyDecoder(tokenizer, { ...options, shortlist: kept });
  for (const beamSize of [1, 3]) {
    const what = `${JSON.stringify(options)}, ${name}, beam ${beamSize}`;
    const found = await decoder.hypotheses(embeddings, { lang: 'any', beamSize });
    const expected = await forbidding(options, kept, beamSize);
    assert.deepEqual(
      found.map((hypotheses) => hypotheses.map(({ tokens }) => tokens)),
      expected.map((hypotheses) => hypotheses.map(({ tokens }) => tokens)),
      what,
    );
    for (const [i, { score }] of found.flat().entries()) {
      const wanted = expected.flat()[i]?.score ?? Number.NaN;
      // float32, some tens of sums
      assert.ok(Math.abs(score - wanted) < 2e-5, `${what}: ${wanted}, found ${score}`);
    }
  }
  await decoder.dispose();
}

for (const precision of precisions) {
  test(`a shortlist in ${precision} is the whole vocabulary with other tokens forbidden`, async () => {
    for (const name of Object.keys(shortlists)) {
      await checkShortlist({ precision }, name);
    }
    await checkShortlist({ precision, isUntied: true }, 'every other token');
  });
}

const needed = [1, 3, 34];
const bytesOf = (ids: readonly number[]) => new Uint8Array(Int32Array.from(ids).buffer);
const parse = (bytes: Uint8Array) => parseShortlist(bytes, { vocabSize, needed, label: 's.bin' });

test('tokens become places and places tokens, from bytes at any address', () => {
  const ids = [1, 3, 20, 34, 39];
  const shifted = new Uint8Array(1 + 4 * ids.length);
  shifted.set(bytesOf(ids), 1);
  const vocabulary = parse(shifted.subarray(1));
  assert.equal(vocabulary.size, ids.length);
  assert.deepEqual(
    ids.map((id) => vocabulary.placeOf(id)),
    [0, 1, 2, 3, 4],
  );
  assert.deepEqual(vocabulary.idsOf(BigInt64Array.of(4n, 0n, 4n)), BigInt64Array.of(39n, 1n, 39n));
  assert.throws(() => vocabulary.placeOf(2), /token 2/);
  assert.throws(() => vocabulary.idsOf(BigInt64Array.of(5n)), /place 5/);
});

test('in a whole vocabulary, places are tokens', () => {
  const { size, placeOf, idsOf } = wholeVocabulary(vocabSize);
  const tokens = BigInt64Array.of(7n, 0n);
  assert.deepEqual([size, placeOf(7), idsOf(tokens)], [vocabSize, 7, tokens]);
});

test('a shortlist that is none is told with what is wrong', () => {
  const cases: readonly [Uint8Array, RegExp][] = [
    [new Uint8Array(0), /expected 1 to 40 tokens of 4 bytes, found 0 bytes/],
    [bytesOf([1, 3, 34]).subarray(1), /found 11 bytes/],
    [bytesOf([...all, 40]), /found 164 bytes/],
    [bytesOf([1, 20, 3, 34]), /expected a token from 21 to 39 at place 2, found 3$/],
    [bytesOf([1, 3, 3, 34]), /expected a token from 4 to 39 at place 2, found 3$/],
    [bytesOf([1, 3, 34, 40]), /at place 3, found 40$/],
    [bytesOf([-1, 1, 3, 34]), /expected a token from 0 to 39 at place 0, found -1$/],
    [bytesOf([1, 34]), /expected token 3 among 2, found it missing/],
    [bytesOf([0, 1, 2, 3, 35]), /expected token 34 among 5/],
  ];
  for (const [bytes, message] of cases) {
    assert.throws(
      () => parse(bytes),
      (error) => {
        assert.ok(error instanceof IntegrityError);
        assert.match(error.message, /^s\.bin: /);
        assert.match(error.message, message);
        return true;
      },
    );
  }
});
