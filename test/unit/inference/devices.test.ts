import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openOnDevice } from '../../../server/inference/devices.ts';

const gpu = { name: 'gpu', executionProviders: ['webgpu'] };
const cpu = { name: 'cpu', executionProviders: ['cpu'] };

test('the first device that works is used', async () => {
  const open = async ({ name }: { name: string }) => {
    if (name === 'gpu') throw new Error('no adapter');
    return name;
  };
  assert.deepEqual(await openOnDevice(open, [gpu, cpu]), { device: cpu, value: 'cpu' });
  assert.deepEqual((await openOnDevice(open)).device, cpu);
});

test('a device that works is not tried again', async () => {
  const tried: string[] = [];
  await openOnDevice(async ({ name }) => tried.push(name), [gpu, cpu]);
  assert.deepEqual(tried, ['gpu']);
});

test('when none works the last error is told', async () => {
  const open = async ({ name }: { name: string }) => {
    throw new Error(`${name} failed`);
  };
  await assert.rejects(openOnDevice(open, [gpu, cpu]), /cpu failed/);
});
