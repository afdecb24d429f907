import { type ByteSource, endOfSource } from '../../server/compiler/checkpoint/byteSource.ts';
import { readTensors } from '../../server/compiler/checkpoint/container.ts';
import { StateDict } from '../../server/compiler/checkpoint/stateDict.ts';

/** A checkpoint in memory. */
export class MemoryByteSource implements ByteSource {
  readonly label = 'memory';
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get sizeBytes(): number {
    return this.#bytes.length;
  }

  read(byteOffset: number, target: Uint8Array): void {
    const part = this.#bytes.subarray(byteOffset, byteOffset + target.length);
    if (part.length < target.length) {
      throw endOfSource(this.label, byteOffset, target.length, part.length);
    }
    target.set(part);
  }

  dispose(): void {}
}

/** Opens a checkpoint of one file in memory. */
export function openBytes(bytes: Uint8Array): StateDict {
  const source = new MemoryByteSource(bytes);
  return new StateDict(source.label, readTensors(source), [source]);
}
