import assert from 'node:assert/strict';
import test from 'node:test';
import type { CarriedTensor } from '../../../server/inference/graphSession.ts';
import { TokenPool } from '../../../server/inference/tokenPool.ts';
import { type Tensor, tensor } from '../../../server/tensor/tensor.ts';
import { FakeDevice } from '../../support/fakeDevice.ts';

/** `count` tokens of one layer and D = 2, keys `first`, first + 1 …, values negative. */
function tokens(first: number, count: number): Tensor<'float32'> {
  const keys = Array.from({ length: count }, (_, i) => [first + i, first + i]).flat();
  const data = Float32Array.of(...keys, ...keys.map((key) => -key));
  return tensor('float32', [1, 2, count, 2], data);
}

function check(pool: TokenPool, size: number): void {
  assert.equal(pool.size, size);
  const { data, shape } = pool.past as Tensor<'float32'>;
  const capacity = shape[2] ?? 0;
  assert.equal(data.length, 2 * capacity * 2);
  for (let place = 0; place < size; place++) {
    assert.equal(data[2 * place], place);
    assert.equal(data[2 * (capacity + place)], -place);
  }
}

test('on the host tokens keep their places while the pool grows', () => {
  const pool = new TokenPool(1, 2);
  for (let size = 0; size < 1000; size += 5) {
    pool.append(tokens(size, 5));
    check(pool, size + 5);
    assert.equal(pool.keptFrom, pool.past.shape[2]);
  }
});

test('on the host a step does not move what is there, as long as there is room', () => {
  const pool = new TokenPool(1, 2);
  pool.append(tokens(0, 1));
  const { past } = pool;
  pool.append(tokens(1, 10));
  assert.equal(pool.past, past);
  check(pool, 11);
});

test('on a device the pool is what the step made of it', () => {
  const device = new FakeDevice();
  const keep = (count: number) => device.keep(tokens(0, count)) as CarriedTensor<'float32'>;
  const pool = new TokenPool(1, 2);
  assert.deepEqual(pool.past.shape, [1, 2, 0, 2]);
  pool.append(keep(5));
  pool.append(keep(10));
  assert.deepEqual([pool.size, pool.keptFrom, device.held], [10, 0, 1]);
  pool.dispose();
  assert.equal(device.held, 0);
});
