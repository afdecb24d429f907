import { Random } from '../../server/tensor/random.ts';
import { elementCount } from '../../server/tensor/tensor.ts';
import { storeTensor } from './safetensorsWriter.ts';

/*
 * Weights of the scale that training leaves, for checkpoints of any size: N(0, 0.02), norms 1. Real
 * sizes and real ranges are what time and memory depend on. Drawing 800 million normal numbers
 * would take a minute, so one block of them is drawn and every tensor is cut from it, each from
 * another place on: rows differ, statistics are those of the block.
 */

/** 64 MB as float32. A prime number, so that no row of a matrix repeats at the same place. */
const blockLength = 16_777_213;
const standardDeviation = 0.02;
/** Weights of norms, and the scale of a normaliser. */
const norms = /norm\.weight$|normalizer\.scale$/;

export type RandomType = 'float32' | 'float16';

export const elementBytes: Readonly<Record<RandomType, number>> = { float32: 4, float16: 2 };

/** A supply of random weights of one type. */
export class RandomWeights {
  readonly #block: Uint8Array;
  readonly #one: Uint8Array;
  readonly #type: RandomType;
  #position = 0;

  constructor(type: RandomType, seed = 1) {
    const block = gaussianBlock(seed);
    const one = new Float32Array(4096).fill(1);
    this.#block = toBytes(block, type);
    this.#one = toBytes(one, type);
    this.#type = type;
  }

  /** Yields the bytes of a tensor, chunk by chunk; a chunk is valid for as long as the supply. */
  *tensor(name: string, shape: readonly number[]): Generator<Uint8Array> {
    let rest = elementCount(shape) * elementBytes[this.#type];
    const isNorm = norms.test(name);
    while (rest > 0) {
      const chunk = isNorm ? this.#one.subarray(0, rest) : this.#take(rest);
      rest -= chunk.length;
      yield chunk;
    }
  }

  #take(maxBytes: number): Uint8Array {
    if (this.#position === this.#block.length) this.#position = 0;
    const chunk = this.#block.subarray(this.#position, this.#position + maxBytes);
    this.#position += chunk.length;
    return chunk;
  }
}

function gaussianBlock(seed: number): Float32Array {
  const random = new Random(seed);
  const block = new Float32Array(blockLength);
  for (let i = 0; i < blockLength; i++) block[i] = standardDeviation * random.gaussian();
  return block;
}

function toBytes(values: Float32Array, type: RandomType): Uint8Array {
  if (type === 'float16') return storeTensor('F16', [values.length], values).bytes;
  return new Uint8Array(values.buffer);
}
