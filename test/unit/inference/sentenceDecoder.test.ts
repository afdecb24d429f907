import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { SentenceDecoder } from '../../../server/inference/sentenceDecoder.ts';
import { embeddings, type Golden, searches } from '../../golden/beamSearch.ts';
import { tinyDecoder } from '../../support/tinySessions.ts';

const langIds: Readonly<Record<string, number>> = { first: 33, second: 34 };
const tokenizer = {
  prompt: (lang: string): [number, number] => [3, langIds[lang] ?? 0],
  decode: (ids: readonly number[]) => ids.join(' '),
};

let decoder: SentenceDecoder;
before(async () => {
  decoder = await tinyDecoder(tokenizer);
});
after(() => decoder.dispose());

/** atol 2e-5: float32, two layers; step scores are differences of sums. */
function checkClose(found: number, expected: number, what: string): void {
  assert.ok(Math.abs(found - expected) < 2e-5, `${what}: ${expected}, found ${found}`);
}

test('hypotheses, scores and step scores are fairseq2’s', async () => {
  for (const [options, golden] of searches) {
    for (const [prompt, lang] of Object.keys(langIds).entries()) {
      const what = JSON.stringify({ ...options, lang });
      const concept = [embeddings[prompt] as Float32Array];
      const [hypotheses = []] = await decoder.hypotheses(concept, { ...options, lang });
      const expected = golden.filter(([owner]) => owner === prompt);
      assert.deepEqual(
        hypotheses.map(({ tokens }) => tokens),
        expected.map(([, tokens]) => tokens),
        what,
      );
      for (const [i, { score, stepScores }] of hypotheses.entries()) {
        const [, , wantedScore, wantedSteps] = expected[i] as Golden;
        checkClose(score, wantedScore, what);
        assert.equal(stepScores.length, wantedSteps.length);
        for (const [n, step] of stepScores.entries()) {
          checkClose(step, wantedSteps[n] as number, `${what} step ${n}`);
        }
      }
    }
  }
});

const many = Array.from({ length: 30 }, (_, i) =>
  (embeddings[0] as Float32Array).map((x, d) => x + 0.1 * i * ((embeddings[1]?.[d] ?? 0) - x)),
);

test('many embeddings at once give what one by one gives', async () => {
  for (const beamSize of [1, 3]) {
    const options = { lang: 'first', beamSize };
    const together = await decoder.decode(many, options);
    for (const [i, embedding] of many.entries()) {
      const [alone] = await decoder.decode([embedding], options);
      assert.equal(together[i]?.text, alone?.text);
      checkClose(together[i]?.score ?? 0, alone?.score ?? 0, `sentence ${i}`);
    }
  }
});

test('several wordings are the hypotheses of the beam, the first what a plain decode gives', async () => {
  const options = { lang: 'first', beamSize: 4 };
  const plain = await decoder.decode(many, options);
  assert.deepEqual(await decoder.decode(many, { ...options, hypotheses: 1 }), plain);
  const several = await decoder.decode(many, { ...options, hypotheses: 3 });
  const all = await decoder.hypotheses(many, options);
  for (const [i, { others = [], ...best }] of several.entries()) {
    assert.deepEqual(best, plain[i]);
    const wordings = [best, ...others];
    assert.deepEqual(
      wordings,
      (all[i] ?? []).slice(0, 3).map(({ tokens, score }) => {
        return { text: tokenizer.decode(tokens), score };
      }),
    );
    assert.equal(wordings.length, 3);
    assert.equal(new Set(wordings.map(({ text }) => text)).size, 3);
    const scores = wordings.map(({ score }) => score);
    assert.deepEqual(
      scores,
      scores.toSorted((a, b) => b - a),
    );
  }
});

test('wordings that several series of tokens spell alike are one', async () => {
  const silent = await tinyDecoder({ ...tokenizer, decode: () => 'the same' });
  const [sentence] = await silent.decode(many.slice(0, 1), { lang: 'first', hypotheses: 3 });
  assert.deepEqual([sentence?.text, sentence?.others], ['the same', []]);
  await silent.dispose();
});

test('no embeddings give no sentences', async () => {
  assert.deepEqual(await decoder.decode([], { lang: 'first' }), []);
});

test('the limit of the request is the limit, and the model’s own is never passed', async () => {
  const lengths = async (maxSeqLen?: number) => {
    const options = { lang: 'first', beamSize: 1, ...(maxSeqLen && { maxSeqLen }) };
    const [sentence] = await decoder.decode(many.slice(0, 1), options);
    return sentence?.text.split(' ').length;
  };
  assert.equal(await lengths(3), 1);
  assert.equal(await lengths(10), 8);
  assert.equal(await lengths(), await lengths(1000));
  assert.equal(await lengths(), 14);
});

test('a limit or a beam out of range is refused', async () => {
  const wrong = [
    ...[{ beamSize: 0 }, { beamSize: 65 }, { beamSize: 1.5 }, { maxSeqLen: 2 }],
    ...[{ hypotheses: 0 }, { hypotheses: 6 }, { beamSize: 2, hypotheses: 3 }],
  ];
  for (const options of wrong) {
    await assert.rejects(decoder.decode(many, { lang: 'first', ...options }), {
      code: 'invalidRequest',
    });
  }
});

test('an embedding that leads to NaN is an error, not an endless sentence', async () => {
  const broken = [new Float32Array(32).fill(Number.NaN)];
  await assert.rejects(decoder.decode(broken, { lang: 'first' }), { code: 'inferenceFailed' });
});

test('decoding stops when it is aborted', async () => {
  const signal = AbortSignal.abort();
  await assert.rejects(decoder.decode(many, { lang: 'first' }, signal), { name: 'AbortError' });
});
