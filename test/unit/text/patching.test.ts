import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  byteIds,
  byteOffsets,
  defaultThreshold,
  type EntropyRule,
  entropyPatchStarts,
  patchLengths,
  spacePatchStarts,
  splitLongPatches,
  staticPatchLengths,
} from '../../../server/text/patching.ts';

/*
 * Golden values: bytelatent.data.patcher of facebookresearch/blt 9774ed4, find_entropy_patch_start_ids,
 * find_space_patch_start_ids, patch_lengths_from_start_ids and split_large_numbers.
 */
const entropies = [3, 2, 0.5, 1.6, 0.2, 0.1, 2.5, 2.6, 1, 0.3];
const threshold = defaultThreshold;

function checkStarts(rule: EntropyRule, expected: number[], h: readonly number[] = entropies) {
  assert.deepEqual(entropyPatchStarts(h, rule), expected);
}

for (const [name, rule, starts] of [
  ['global', { kind: 'global', threshold }, [0, 1, 2, 4, 7, 8]],
  ['monotonic', { kind: 'monotonic', threshold: 0.5 }, [0, 1, 2, 4, 7]],
  ['combined', { kind: 'combined', threshold, thresholdAdd: 0.2 }, [0, 1, 2, 4, 7]],
  ['top-k', { kind: 'topK', patchSize: 3 }, [0, 1, 8]],
] as const) {
  test(`${name}: the starts are the reference's`, () => checkStarts(rule, [...starts]));
}

test('position 2 is a start however flat the entropy is, except by the global rule', () => {
  const flat = [1, 1, 1, 1];
  checkStarts({ kind: 'global', threshold: 2 }, [0, 1], flat);
  checkStarts({ kind: 'monotonic', threshold: 2 }, [0, 1, 2], flat);
  checkStarts({ kind: 'combined', threshold: 2, thresholdAdd: 2 }, [0, 1, 2], flat);
});

test('position 3 is never a start by the combined rule, and later neighbours may be', () => {
  const rising = [0, 1, 2, 3, 4];
  checkStarts({ kind: 'combined', threshold: 0, thresholdAdd: 0.5 }, [0, 1, 2, 4, 5], rising);
  checkStarts({ kind: 'monotonic', threshold: 0.5 }, [0, 1, 2, 3, 4, 5], rising);
});

test('an entropy equal to the threshold is no start', () => {
  checkStarts({ kind: 'global', threshold: 2 }, [0, 1, 7, 8]);
});

test('without the next token its position is no start', () => {
  const h = [0, 0, 0, 5];
  const rule = { kind: 'global', threshold: 1 } as const;
  assert.deepEqual(entropyPatchStarts(h, rule), [0, 1, 4]);
  assert.deepEqual(entropyPatchStarts(h, rule, { includeNextToken: false }), [0, 1]);
});

test('top-k takes one position for each patch beyond the first two, none in a short text', () => {
  checkStarts({ kind: 'topK', patchSize: 2 }, [0, 1, 2, 7, 8]);
  checkStarts({ kind: 'topK', patchSize: 4.5 }, [0, 1]);
  checkStarts({ kind: 'topK', patchSize: 20 }, [0, 1]);
  checkStarts({ kind: 'topK', patchSize: 2 }, [0, 1, 2], [1, 1, 1, 1, 1, 1]);
});

test('every rule but top-k decides from what is known: a longer text keeps its starts', () => {
  const rules: EntropyRule[] = [
    { kind: 'global', threshold },
    { kind: 'monotonic', threshold: 0.5 },
    { kind: 'combined', threshold, thresholdAdd: 0.2 },
  ];
  for (const rule of rules) {
    const whole = entropyPatchStarts(entropies, rule);
    for (let length = 2; length <= entropies.length; length++) {
      const starts = entropyPatchStarts(entropies.slice(0, length), rule);
      assert.deepEqual(
        starts,
        whole.filter((start) => start <= length),
        `${rule.kind}, ${length}`,
      );
    }
  }
});

test('space: a patch ends with the first of a run of bytes that are no word', () => {
  assert.deepEqual(spacePatchStarts(byteIds('Hello, world! é x1')), [0, 1, 7, 14, 18]);
  assert.deepEqual(spacePatchStarts(byteIds('ab  cd')), [0, 1, 4]);
  assert.deepEqual(spacePatchStarts(byteIds('')), [0, 1]);
});

test('space: a special ends a patch even within a run', () => {
  const eos = 2;
  assert.deepEqual(spacePatchStarts([...byteIds('a.'), eos]), [0, 1, 3, 4]);
});

test('lengths are the differences of starts, the last one up to the next token', () => {
  const starts = entropyPatchStarts(entropies, { kind: 'global', threshold });
  assert.deepEqual(patchLengths(starts, entropies.length + 1), [1, 1, 2, 3, 1, 3]);
  assert.deepEqual(patchLengths(starts, entropies.length), [1, 1, 2, 3, 1, 2]);
  assert.deepEqual(patchLengths([0, 1], 7), [1, 6]);
});

test('static patches are equal, and the last one is what is left', () => {
  assert.deepEqual(staticPatchLengths(10, 4), [4, 4, 2]);
  assert.deepEqual(staticPatchLengths(8, 4), [4, 4]);
  assert.deepEqual(staticPatchLengths(0, 4), []);
  assert.throws(() => staticPatchLengths(8, 0), { message: 'patch size 0: expected 1 or more' });
});

test('long patches are split into maximal pieces', () => {
  assert.deepEqual(splitLongPatches([1, 6, 7, 3], 3), [1, 3, 3, 3, 3, 1, 3]);
  assert.throws(() => splitLongPatches([1], 0), { message: 'longest patch 0: expected 1 or more' });
});

test('the bytes of a text stand behind BOS', () => {
  assert.deepEqual(byteIds('aé'), [1, 101, 199, 173]);
});

test('offsets of bytes are those of the encoder, lone surrogates included', () => {
  for (const text of ['', 'aé长😀b', '\ud800a', 'a\udc00']) {
    const offsets = byteOffsets(text);
    assert.equal(offsets.at(-1), Buffer.byteLength(text), text);
    assert.equal(offsets[0], 0);
  }
  assert.deepEqual([...byteOffsets('é😀b')], [0, 2, 2, 6, 7]);
});
