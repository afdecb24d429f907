import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  cpuDevice,
  type Device,
  devices,
  openOnDevice,
} from '../../../server/inference/devices.ts';

const chosen = { device: devices.webgpu, note: null };

test('what opens on a device runs there', async () => {
  const open = async ({ name }: Device) => name;
  assert.deepEqual(await openOnDevice(chosen, open), { ...chosen, value: 'webgpu' });
});

test('what does not open on a device runs on the processor, and why is told', async () => {
  const open = async ({ name }: Device) => {
    if (name === 'webgpu') throw new Error('no adapter');
    return name;
  };
  assert.deepEqual(await openOnDevice(chosen, open), {
    device: cpuDevice,
    note: 'WebGPU: no adapter',
    value: 'cpu',
  });
});

test('what does not open on the processor does not open', async () => {
  const open = async ({ name }: Device) => {
    throw new Error(`${name} failed`);
  };
  await assert.rejects(openOnDevice(chosen, open), /cpu failed/);
  await assert.rejects(openOnDevice({ device: cpuDevice, note: null }, open), /cpu failed/);
});
