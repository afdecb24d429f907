import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Candidate,
  DeviceChooser,
  describeSpeed,
  judge,
} from '../../../server/inference/deviceChooser.ts';
import type { Machine } from '../../../server/inference/devices.ts';
import type { Trial } from '../../../server/inference/deviceTrial.ts';
import type { ProbeAnswer } from '../../../server/inference/probeProcess.ts';
import type { DeviceChoice, DeviceName } from '../../../server/model/device.ts';
import type { Precision } from '../../../server/model/manifest.ts';
import { tinyManifest } from '../../support/tinyManifest.ts';

const right: Trial = { cosine: 1, logProbError: 0.001, deviceMs: 10, cpuMs: 20 };

function modelIn(precision: Precision, digest = 'digest'): Candidate {
  const encoder = { ...tinyManifest.encoder, precision };
  const decoder = { ...tinyManifest.decoder, precision };
  return {
    folder: 'folder',
    manifest: { ...tinyManifest, name: 'tiny', sourceDigest: digest, encoder, decoder },
    conceptModels: [],
  };
}

/** A Linux machine with files, and devices that answer; it notes which were tried. */
function machineWith(
  answers: Partial<Record<DeviceName, ProbeAnswer>>,
  { files = {}, ...machine }: Partial<Machine> & { files?: Record<string, string[]> } = {},
) {
  const tried: DeviceName[] = [];
  const chooser = new DeviceChooser(
    { platform: 'linux', arch: 'x64', env: {}, list: (folder) => files[folder] ?? [], ...machine },
    async (device) => {
      tried.push(device);
      return answers[device] ?? { failure: 'not here' };
    },
  );
  const choose = async (choice: DeviceChoice, model = modelIn('fp32')) => {
    const { device, note } = await chooser.choose(choice, model);
    return [device.name, note];
  };
  return { chooser, tried, choose };
}

const nvidia = { files: { '/dev': ['null', 'nvidia0'], '/dev/dri': ['card0', 'renderD128'] } };
const fast = (factor: number): ProbeAnswer => ({ trial: { ...right, cpuMs: factor * 10 } });

test('a machine without a hint of a device tries none', async () => {
  for (const machine of [
    {},
    { env: { VK_DRIVER_FILES: '' } },
    { platform: 'linux' as const, arch: 'arm64' },
  ]) {
    const { choose, tried } = machineWith({ webgpu: fast(9), cuda: fast(9) }, machine);
    assert.deepEqual(await choose('auto'), ['cpu', null]);
    assert.deepEqual(tried, []);
  }
});

test('auto takes the fastest device whose numbers are right', async () => {
  const { choose, tried } = machineWith({ cuda: fast(2), webgpu: fast(3) }, nvidia);
  assert.deepEqual(await choose('auto'), ['webgpu', null]);
  assert.deepEqual(tried, ['cuda', 'webgpu']);
  const wrong = { trial: { ...right, cosine: 0.9, cpuMs: 100 } };
  assert.deepEqual(await machineWith({ cuda: wrong, webgpu: fast(1.5) }, nvidia).choose('auto'), [
    'webgpu',
    null,
  ]);
});

test('auto stays with the processor where nothing is faster', async () => {
  const { choose } = machineWith({ webgpu: fast(0.3) }, nvidia);
  assert.deepEqual(await choose('auto'), ['cpu', null]);
});

test('a graphics card without CUDA is tried through Vulkan only', async () => {
  const files = { '/dev/dri': ['renderD128'] };
  const { choose, tried } = machineWith({ webgpu: fast(2) }, { files });
  assert.deepEqual(await choose('auto'), ['webgpu', null]);
  assert.deepEqual(tried, ['webgpu']);
});

test('each platform tries its own devices', async () => {
  const tries = async (machine: Partial<Machine>) => {
    const { choose, tried } = machineWith({}, machine);
    await choose('auto');
    return tried;
  };
  assert.deepEqual(await tries({ platform: 'win32', arch: 'x64' }), ['directml', 'webgpu']);
  assert.deepEqual(await tries({ platform: 'darwin', arch: 'arm64' }), ['coreml', 'webgpu']);
  assert.deepEqual(await tries({ platform: 'linux', arch: 'arm64', ...nvidia }), []);
});

test('a device that is named is used although it is slower', async () => {
  assert.deepEqual(await machineWith({ webgpu: fast(0.1) }).choose('webgpu'), ['webgpu', null]);
  assert.deepEqual(await machineWith({ tensorrt: fast(2) }).choose('tensorrt'), ['tensorrt', null]);
});

test('a device that is named and does not work is replaced by the processor, and why is told', async () => {
  const failing = machineWith({ webgpu: { failure: 'the trial crashed (SIGSEGV)' } });
  assert.deepEqual(await failing.choose('webgpu'), ['cpu', 'WebGPU: the trial crashed (SIGSEGV)']);
  const wrong = machineWith({ webgpu: { trial: { ...right, logProbError: Number.NaN } } });
  assert.deepEqual(await wrong.choose('webgpu'), [
    'cpu',
    'WebGPU: its numbers are not those of the processor',
  ]);
});

test('a device of another platform is not tried', async () => {
  const { choose, tried } = machineWith({});
  assert.deepEqual(await choose('coreml'), ['cpu', 'CoreML: not available on linux-x64']);
  assert.deepEqual(tried, []);
});

test('a device that does not run the precision of a part is not tried', async () => {
  const { choose, tried } = machineWith({ webgpu: fast(2) }, nvidia);
  assert.deepEqual(await choose('webgpu', modelIn('int8')), [
    'cpu',
    'WebGPU: runs models in fp32, fp16, int4; encoder of tiny is int8',
  ]);
  assert.deepEqual(await choose('auto', modelIn('int8')), ['cpu', null]);
  assert.deepEqual(tried, []);
  assert.deepEqual(await choose('webgpu', modelIn('int4')), ['webgpu', null]);
});

test('the processor is never tried', async () => {
  const { choose, tried } = machineWith({}, nvidia);
  assert.deepEqual(await choose('cpu'), ['cpu', null]);
  assert.deepEqual(tried, []);
});

test('a device is tried once for each model', async () => {
  const { choose, tried } = machineWith({ webgpu: fast(2) });
  await choose('webgpu');
  await choose('webgpu');
  assert.equal(tried.length, 1);
  await choose('webgpu', modelIn('fp32', 'another'));
  assert.equal(tried.length, 2);
});

test('a choice that is cancelled is not remembered', async () => {
  let isCancelled = true;
  const chooser = new DeviceChooser(
    { platform: 'linux', arch: 'x64', env: {}, list: () => [] },
    async (_device, _folder, signal) => {
      if (isCancelled) signal?.throwIfAborted();
      return { trial: right };
    },
  );
  await assert.rejects(chooser.choose('webgpu', modelIn('fp32'), AbortSignal.abort()), {
    name: 'AbortError',
  });
  isCancelled = false;
  assert.equal((await chooser.choose('webgpu', modelIn('fp32'))).device.name, 'webgpu');
});

test('a device may round as much as its precision lets it', () => {
  const cosine = 0.995;
  const { manifest: exact } = modelIn('fp32');
  const { manifest: coarse } = modelIn('int4');
  assert.equal(judge({ ...right, cosine }, exact).works, false);
  assert.equal(judge({ ...right, cosine }, coarse).works, true);
  assert.equal(judge({ ...right, logProbError: 0.3 }, exact).works, false);
  assert.equal(judge({ ...right, logProbError: 0.3 }, coarse).works, true);
  assert.deepEqual(judge(right, exact), { works: true, speed: 2 });
});

test('speeds are told in words', () => {
  assert.equal(describeSpeed(1 / 3.14), '3.1 times slower than the CPU here');
  assert.equal(describeSpeed(12.4), '12 times as fast as the CPU here');
});
