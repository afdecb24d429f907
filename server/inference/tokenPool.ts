import { type Tensor, tensor } from '../tensor/tensor.ts';
import { type CarriedTensor, isOnHost, releaseTensor } from './graphSession.ts';

/** Tokens that there is room for at first: a sentence or two with a beam. */
const initialCapacity = 64;

/**
 * The keys and values of all tokens that a decoder has seen, [L, 2, P, D], where the session puts
 * them. On a device they stay there, and each step makes a longer tensor. On the host, where making
 * tensors costs more than multiplying with them, each step hands out its own tokens only, and the
 * rest stays where it is.
 */
export class TokenPool {
  #past: CarriedTensor<'float32'>;
  #size = 0;

  constructor(numLayers: number, modelDim: number) {
    this.#past = tensor('float32', [numLayers, 2, 0, modelDim], new Float32Array(0));
  }

  /** How many tokens there are: the place of the next one. */
  get size(): number {
    return this.#size;
  }

  /** For the graph: places from `size` on hold nothing that may be looked at. */
  get past(): CarriedTensor<'float32'> {
    return this.#past;
  }

  /** For the graph: the place from which on the past belongs into what the step hands out. */
  get keptFrom(): number {
    return isOnHost(this.#past) ? (this.#past.shape[2] ?? 0) : 0;
  }

  /** Takes what a step handed out. */
  append(present: CarriedTensor<'float32'>): void {
    if (isOnHost(present)) {
      this.#write(present);
      return;
    }
    releaseTensor(this.#past);
    this.#past = present;
    this.#size = present.shape[2] ?? 0;
  }

  /** Gives the memory of a device back; nothing may follow. */
  dispose(): void {
    releaseTensor(this.#past);
  }

  #write({ data, shape }: Tensor<'float32'>): void {
    const [numLayers = 0, two = 0, count = 0, modelDim = 0] = shape;
    const past = this.#withRoom(this.#size + count);
    const capacity = past.shape[2] ?? 0;
    for (let table = 0; table < numLayers * two; table++) {
      const added = data.subarray(table * count * modelDim, (table + 1) * count * modelDim);
      past.data.set(added, (table * capacity + this.#size) * modelDim);
    }
    this.#size += count;
  }

  /** Returns the past with room for `size` tokens. */
  #withRoom(size: number): Tensor<'float32'> {
    const past = this.#past as Tensor<'float32'>; // what began on the host stays there
    const [numLayers = 0, two = 0, capacity = 0, modelDim = 0] = past.shape;
    if (size <= capacity) return past;
    const larger = Math.max(initialCapacity, size, Math.ceil(1.5 * capacity));
    const data = new Float32Array(numLayers * two * larger * modelDim);
    for (let table = 0; table < numLayers * two; table++) {
      const start = table * capacity * modelDim;
      const used = past.data.subarray(start, start + this.#size * modelDim);
      data.set(used, table * larger * modelDim);
    }
    const grown = tensor('float32', [numLayers, two, larger, modelDim], data);
    this.#past = grown;
    return grown;
  }
}
