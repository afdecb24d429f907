import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../../server/tensor/random.ts';
import { standardDeviation } from '../../../server/tensor/vector.ts';

test('the same seed and stream give the same numbers', () => {
  assert.deepEqual(new Random(7, 3).gaussians(8), new Random(7, 3).gaussians(8));
});

test('another seed or another stream gives other numbers', () => {
  const first = (seed: number, stream: number) => new Random(seed, stream).uniform();
  const seeds = [0, 1, 2, -1, 0.5 * 2 ** 33, 2 ** 40];
  const numbers = seeds.flatMap((seed) => [first(seed, 0), first(seed, 1), first(seed, 2)]);
  assert.equal(new Set(numbers).size, numbers.length);
});

test('the numbers of a seed stay what they are', () => {
  const random = new Random(1);
  const uniform = Array.from({ length: 3 }, () => random.uniform());
  assert.deepEqual(uniform, [0.8047783430665731, 0.17154297628439963, 0.5442186202853918]);
  assert.deepEqual(
    [...new Random(1, 2).gaussians(3)],
    [0.6594692468643188, -0.1096600666642189, 0.39193299412727356],
  );
});

test('uniform numbers fill [0, 1) evenly', () => {
  const random = new Random(11);
  const bins = new Array(10).fill(0);
  for (let i = 0; i < 10_000; i++) bins[Math.floor(random.uniform() * 10)]++;
  for (const count of bins) assert.ok(count > 900 && count < 1100, `${bins}`);
});

test('Gaussian numbers have mean 0 and deviation 1', () => {
  const numbers = new Random(5).gaussians(20_000);
  const mean = numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
  assert.ok(Math.abs(mean) < 0.03, `mean ${mean}`);
  assert.ok(Math.abs(standardDeviation(numbers) - 1) < 0.02, 'deviation');
});

test('a part of the numbers is the beginning of more of them', () => {
  assert.deepEqual(new Random(3).gaussians(5), new Random(3).gaussians(9).subarray(0, 5));
});
