import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CachedTower } from '../../../../server/inference/lcm/cachedTower.ts';
import { tensor } from '../../../../server/tensor/tensor.ts';
import { FakeDevice } from '../../../support/fakeDevice.ts';

const shape = { numLayers: 1, numAttnHeads: 1, headDim: 1 };

/**
 * A causal tower whose output is the sum of all concepts so far, and whose cache holds them; it
 * notes how many concepts each run was given. With a device its cache stays there.
 */
function summingTower(runs: number[] = [], device?: FakeDevice): CachedTower {
  return new CachedTower(shape, async (embeddings, pastKeyValues) => {
    runs.push(embeddings.length);
    const { data } = (device ?? new FakeDevice()).read(pastKeyValues);
    const past = data.subarray(0, data.length / 2);
    const all = [...past, ...embeddings.map(([value = 0]) => value)];
    const sums = all.map((_, i) => all.slice(0, i + 1).reduce((sum, value) => sum + value, 0));
    const keyValues = Float32Array.from([...all, ...all]);
    const present = tensor('float32', [1, 2, 1, 1, all.length, 1], keyValues);
    return {
      outputs: sums.slice(past.length).map((sum) => Float32Array.of(sum)),
      presentKeyValues: device ? device.keep(present) : present,
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

test('a cache on a device is fed on, run anew where a context differs, and given back once', async () => {
  const device = new FakeDevice();
  const runs: number[] = [];
  const tower = summingTower(runs, device);
  const contexts = [[1, 2], [1, 2, 3], [1, 2, 4], [1, 2, 4], [1], [7, 8]];
  for (const context of contexts) {
    const found = await tower.outputs(concepts(...context));
    assert.deepEqual(found, await summingTower().outputs(concepts(...context)));
    assert.equal(device.held, 1);
  }
  assert.deepEqual(runs, [2, 1, 3, 1, 2]);
  tower.dispose();
  assert.equal(device.held, 0);
  tower.dispose();
});

test('a run that fails leaves the cache on the device as it was', async () => {
  const device = new FakeDevice();
  let isBroken = false;
  const tower = new CachedTower(shape, async (embeddings, past) => {
    if (isBroken) throw new Error('broken');
    const data = [...device.read(past).data, ...embeddings.map(([value = 0]) => value)];
    const present = tensor('float32', [data.length], Float32Array.from(data));
    return { outputs: [...embeddings], presentKeyValues: device.keep(present) };
  });
  await tower.outputs(concepts(1));
  isBroken = true;
  await assert.rejects(tower.outputs(concepts(1, 2)), /broken/);
  isBroken = false;
  assert.deepEqual(await tower.outputs(concepts(1, 2)), concepts(1, 2));
  tower.dispose();
  assert.equal(device.held, 0);
});
