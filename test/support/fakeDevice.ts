import assert from 'node:assert/strict';
import type { CarriedTensor, DeviceTensor } from '../../server/inference/graphSession.ts';
import type { Tensor } from '../../server/tensor/tensor.ts';

/** The memory of a device: what lies there cannot be read, and must be given back once. */
export class FakeDevice {
  readonly #memory = new Map<DeviceTensor, Tensor<'float32'>>();

  /** Tensors that were not given back yet. */
  get held(): number {
    return this.#memory.size;
  }

  /** Leaves a tensor on the device. */
  keep(value: Tensor<'float32'>): DeviceTensor<'float32'> {
    const { type, shape } = value;
    const kept: DeviceTensor<'float32'> = {
      type,
      shape,
      dispose: () => assert.ok(this.#memory.delete(kept), 'expected to be disposed once'),
    };
    this.#memory.set(kept, value);
    return kept;
  }

  /** Reads a tensor as a graph on the device would. */
  read(value: CarriedTensor<'float32'>): Tensor<'float32'> {
    if ('data' in value) return value;
    return this.#memory.get(value) ?? assert.fail('expected to be alive, found it disposed');
  }
}
