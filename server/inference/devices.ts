import type { DeviceName } from '../model/device.ts';
import { plainReason } from './deviceReasons.ts';

/*
 * The devices of each platform, from ONNX Runtime's documentation of its execution providers and
 * the binaries that onnxruntime-node ships.
 */

/** The name of an execution provider, with its options as onnxruntime-node knows them. */
export type ExecutionProvider =
  | string
  | { readonly name: string; readonly [option: string]: unknown };

/** Where graphs run. */
export interface Device {
  name: DeviceName;
  /** As the writer reads it. */
  label: string;
  /** In the order in which they are tried for each node; the processor does what is left. */
  executionProviders: readonly ExecutionProvider[];
  /** Whether outputs can stay on the device between runs. */
  keepsTensors: boolean;
}

/** The device that always works. */
export const cpuDevice: Device = {
  name: 'cpu',
  label: 'CPU',
  executionProviders: ['cpu'],
  keepsTensors: false,
};

/** Only these outputs of onnxruntime-node can stay: `gpu-buffer` means WebGPU's. */
const webgpu: Device = {
  name: 'webgpu',
  label: 'WebGPU',
  executionProviders: ['webgpu'],
  keepsTensors: true,
};

const cuda: Device = {
  name: 'cuda',
  label: 'CUDA',
  executionProviders: [{ name: 'cuda', deviceId: 0 }],
  keepsTensors: false,
};

/** Nodes that TensorRT does not take run on CUDA, as its documentation advises. */
const tensorrt: Device = {
  name: 'tensorrt',
  label: 'TensorRT',
  executionProviders: [
    { name: 'tensorrt', deviceId: 0 },
    { name: 'cuda', deviceId: 0 },
  ],
  keepsTensors: false,
};

const directml: Device = {
  name: 'directml',
  label: 'DirectML',
  executionProviders: [{ name: 'dml', deviceId: 0 }],
  keepsTensors: false,
};

/** COREML_FLAG_CREATE_MLPROGRAM: the older format lacks layer normalisation and float16. */
const createMlProgram = 0x010;

const coreml: Device = {
  name: 'coreml',
  label: 'CoreML',
  executionProviders: [{ name: 'coreml', coreMlFlags: createMlProgram }],
  keepsTensors: false,
};

/** All devices, by name. */
export const devices: Readonly<Record<DeviceName, Device>> = {
  cpu: cpuDevice,
  cuda,
  tensorrt,
  webgpu,
  directml,
  coreml,
};

/** What tells which devices a machine may have, without trying them. */
export interface Machine {
  platform: NodeJS.Platform;
  arch: string;
  /** Names of the files in a folder; none where there is no such folder. */
  list(folder: string): readonly string[];
  env: Readonly<Record<string, string | undefined>>;
}

/**
 * Returns the devices whose execution providers are in onnxruntime-node's binaries for a platform,
 * the processor last.
 */
export function devicesOf({
  platform,
  arch,
}: Pick<Machine, 'platform' | 'arch'>): readonly Device[] {
  if (platform === 'linux' && arch === 'x64') return [cuda, tensorrt, webgpu, cpuDevice];
  if (platform === 'win32') return [directml, webgpu, cpuDevice];
  if (platform === 'darwin') return [coreml, webgpu, cpuDevice];
  return [cpuDevice];
}

/**
 * Tells whether there may be such a device, so that machines without one are not made to wait for
 * trials. A platform that shows its devices to programs only has a graphics card in all likelihood.
 * TensorRT builds an engine for minutes, so it is for those who ask for it.
 */
export function mayHave({ name }: Device, { platform, list, env }: Machine): boolean {
  if (name === 'cpu') return true;
  if (name === 'tensorrt') return false;
  if (platform !== 'linux') return true;
  const has = (folder: string, pattern: RegExp) => list(folder).some((file) => pattern.test(file));
  const isNvidia = has('/dev', /^nvidia\d+$/) || has('/dev', /^dxg$/); // dxg: Windows' own Linux
  if (name === 'cuda') return isNvidia;
  return isNvidia || has('/dev/dri', /^renderD/) || (env['VK_DRIVER_FILES'] ?? '') !== '';
}

/** A device that was found, and why it is not the one that was asked for. */
export interface ChosenDevice {
  device: Device;
  note: string | null;
}

/**
 * Opens on a device, or on the processor where that fails: whether a device can be used shows only
 * in use.
 *
 * @throws the error of the processor when that fails as well
 */
export async function openOnDevice<T>(
  { device, note }: ChosenDevice,
  open: (device: Device) => Promise<T>,
): Promise<ChosenDevice & { value: T }> {
  if (device.name === 'cpu') return { device, note, value: await open(device) };
  try {
    return { device, note, value: await open(device) };
  } catch (error) {
    const reason = plainReason(error instanceof Error ? error.message : String(error));
    const value = await open(cpuDevice);
    return { device: cpuDevice, note: `${device.label}: ${reason}`, value };
  }
}
