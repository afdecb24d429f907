import type { Precision } from './manifest.ts';

/*
 * The devices that can run a compiled graph, and in which precisions. The compiler may be asked for
 * a precision that a device runs; whether the device works on this machine only the inference knows.
 */

export const deviceNames = ['cpu', 'cuda', 'tensorrt', 'webgpu', 'directml', 'coreml'] as const;

export type DeviceName = (typeof deviceNames)[number];

/** A device, or the fastest that works. */
export type DeviceChoice = 'auto' | DeviceName;

/**
 * ONNX Runtime hands operators without a kernel on the device to the processor, which costs two
 * copies each: precisions whose matrix products have no kernel are left out.
 *
 * Source: the kernels that each execution provider registers, ONNX Runtime 1.30; webgpu was tried.
 */
const precisions: Readonly<Record<DeviceName, readonly Precision[]>> = {
  cpu: ['fp32', 'fp16', 'int8', 'int4'],
  cuda: ['fp32', 'fp16', 'int4'], // MatMulInteger exists, MatMulIntegerToFloat does not
  tensorrt: ['fp32', 'fp16'],
  webgpu: ['fp32', 'fp16', 'int4'], // no product of integers
  directml: ['fp32', 'fp16', 'int8'], // no GatherBlockQuantized for the tied embedding of int4
  coreml: ['fp32', 'fp16'],
};

/** Returns the precisions that a device runs. */
export function precisionsOf(device: DeviceName): readonly Precision[] {
  return precisions[device];
}
