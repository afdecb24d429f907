import { assert } from '../../base/errors.ts';
import { type ByteSource, FileByteSource } from './byteSource.ts';
import { isIndex, readTensors } from './container.ts';
import type { ElementType } from './elementTypes.ts';
import { readShards } from './shardIndex.ts';
import { readTensor, rowsOf, type StoredTensor } from './storedTensor.ts';

/**
 * The named tensors of a checkpoint. Only the table of contents is in memory; `read` fetches one
 * tensor. It is what the compiler calls a WeightSource.
 */
export class StateDict {
  readonly label: string;
  readonly #tensors: ReadonlyMap<string, StoredTensor>;
  readonly #sources: readonly ByteSource[];

  /** @param sources  disposed together with the state dict */
  constructor(
    label: string,
    tensors: ReadonlyMap<string, StoredTensor>,
    sources: readonly ByteSource[],
  ) {
    this.label = label;
    this.#tensors = tensors;
    this.#sources = sources;
  }

  /** All names, in the order of the file. */
  names(): readonly string[] {
    return [...this.#tensors.keys()];
  }

  has(name: string): boolean {
    return this.#tensors.has(name);
  }

  shape(name: string): readonly number[] {
    return this.#tensor(name).shape;
  }

  type(name: string): ElementType {
    return this.#tensor(name).type;
  }

  /**
   * Reads one tensor as float32 in row-major order.
   *
   * @throws CheckpointFormatError when the file has shrunk since it was opened
   */
  read(name: string): Float32Array {
    return readTensor(this.#tensor(name));
  }

  /**
   * Reads rows of one tensor, all that lies under some indices of the first dimension.
   *
   * @throws CheckpointFormatError when the file has shrunk since it was opened
   */
  readRows(name: string, firstRow: number, rowCount: number): Float32Array {
    const tensor = this.#tensor(name);
    const [numRows] = tensor.shape;
    assert(
      numRows !== undefined && firstRow >= 0 && rowCount >= 0 && firstRow + rowCount <= numRows,
      `${this.label}: ${name}: rows ${firstRow} + ${rowCount} of [${tensor.shape}]`,
    );
    return readTensor(rowsOf(tensor, firstRow, rowCount));
  }

  /** Returns whether two names stand for the same bytes, as those of tied tensors do. */
  shares(first: string, second: string): boolean {
    const { source, type, byteOffset, shape, strides } = this.#tensor(first);
    const other = this.#tensor(second);
    const isEqual = (a: readonly number[], b: readonly number[]) => a.join() === b.join();
    return (
      source === other.source &&
      type === other.type &&
      byteOffset === other.byteOffset &&
      isEqual(shape, other.shape) &&
      isEqual(strides, other.strides)
    );
  }

  dispose(): void {
    for (const source of this.#sources) source.dispose();
  }

  #tensor(name: string): StoredTensor {
    const tensor = this.#tensors.get(name);
    assert(tensor !== undefined, `${this.label}: ${name}: asked for without being there`);
    return tensor;
  }
}

/**
 * Opens a checkpoint: a safetensors file, a file of torch.save, or the index of several of them.
 * Which one it is shows in its first bytes; its name is of no matter.
 *
 * @throws CheckpointFormatError when a file is missing or malformed
 * @throws CheckpointUnsupportedError for what we do not read
 */
export function openStateDict(file: string): StateDict {
  const sources: ByteSource[] = [];
  const open = (path: string) => {
    const source = new FileByteSource(path);
    sources.push(source);
    return source;
  };
  try {
    const source = open(file);
    const tensors = isIndex(source) ? readShards(source, open) : readTensors(source);
    return new StateDict(file, tensors, sources);
  } catch (error) {
    for (const source of sources) source.dispose();
    throw error;
  }
}
