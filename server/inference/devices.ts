import type { DeviceChoice, DeviceName } from '../model/device.ts';

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

/** A device that was found, and why it is not the one that was asked for. */
export interface ChosenDevice {
  device: Device;
  note: string | null;
}

/** Finds the device that a model runs on. */
export type ChooseDevice = (choice: DeviceChoice, signal?: AbortSignal) => Promise<ChosenDevice>;

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
    const reason = error instanceof Error ? error.message : String(error);
    const value = await open(cpuDevice);
    return { device: cpuDevice, note: `${device.label}: ${reason}`, value };
  }
}
