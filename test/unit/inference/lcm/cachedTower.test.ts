import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CachedTower } from '../../../../server/inference/lcm/cachedTower.ts';
import { tensor } from '../../../../server/tensor/tensor.ts';

const shape = { numLayers: 1, numAttnHeads: 1, headDim: 1 };

/**
 * A causal tower whose output is the sum of all concepts so far, and whose cache holds them; it
 * notes how many concepts each run was given.
 */
function summingTower(runs: number[] = []): CachedTower {
  return new CachedTower(shape, async (embeddings, pastKeyValues) => {
    runs.push(embeddings.length);
    const past = pastKeyValues.data.subarray(0, pastKeyValues.data.length / 2);
    const all = [...past, ...embeddings.map(([value = 0]) => value)];
    const sums = all.map((_, i) => all.slice(0, i + 1).reduce((sum, value) => sum + value, 0));
    const keyValues = Float32Array.from([...all, ...all]);
    return {
      outputs: sums.slice(past.length).map((sum) => Float32Array.of(sum)),
      presentKeyValues: tensor('float32', [1, 2, 1, 1, all.length, 1], keyValues),
    };
  });
}

const concepts = (...values: number[]) => values.map((value) => Float32Array.of(value));

/** Asks one tower for contexts in turn, and compares the concepts that were run. */
async function check(contexts: readonly number[][], expectedRuns: readonly number[]) {
  const runs: number[] = [];
  const tower = summingTower(runs);
  for (const context of contexts) {
    const found = await tower.outputs(concepts(...context));
    assert.deepEqual(found, await summingTower().outputs(concepts(...context)));
  }
  assert.deepEqual(runs, expectedRuns);
}

test('a context that goes on costs what is new', async () => {
  await check(
    [
      [1, 2, 3],
      [1, 2, 3, 4],
      [1, 2, 3, 4, 5, 6],
    ],
    [3, 1, 2],
  );
});

test('the same context costs nothing', async () => {
  await check(
    [
      [1, 2],
      [1, 2],
    ],
    [2],
  );
});

test('a context that differs costs what follows the difference', async () => {
  await check(
    [
      [1, 2, 3],
      [1, 5, 3],
      [9, 5, 3],
    ],
    [3, 2, 3],
  );
});

test('a beginning of the last context costs nothing', async () => {
  await check(
    [
      [1, 2, 3],
      [1, 2],
      [1, 2, 3],
    ],
    [3, 1],
  );
});

test('a long context is read in several runs', async () => {
  await check([Array.from({ length: 300 }, (_, i) => i)], [128, 128, 44]);
});

test('the outputs of the same context are the same array', async () => {
  const tower = summingTower();
  const first = await tower.outputs(concepts(1, 2));
  assert.equal(await tower.outputs(concepts(1, 2)), first);
  assert.notEqual(await tower.outputs(concepts(1)), first);
});

test('a context changed by its owner is not taken for the same', async () => {
  const tower = summingTower();
  const context = concepts(1, 2);
  await tower.outputs(context);
  const changed = [context[0] as Float32Array, Float32Array.of(7)];
  assert.deepEqual((await tower.outputs(changed)).at(-1), Float32Array.of(8));
});

test('an aborted reading keeps what it has read', async () => {
  const runs: number[] = [];
  const tower = summingTower(runs);
  const context = concepts(...Array.from({ length: 200 }, (_, i) => i));
  const signal = AbortSignal.abort();
  await assert.rejects(tower.outputs(context, signal), { name: 'AbortError' });
  assert.equal((await tower.outputs(context)).length, 200);
  assert.deepEqual(runs, [128, 72]);
});
