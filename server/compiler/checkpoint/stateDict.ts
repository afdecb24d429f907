import { assert } from '../../base/errors.ts';
import { elementCount } from '../../tensor/tensor.ts';
import { type ByteSource, FileByteSource } from './byteSource.ts';
import { bfloat16ToFloat32, float16ToFloat32, int64ToFloat32 } from './floatTypes.ts';
import { elementBytes, readSafetensorsHeader, type TensorLocation } from './safetensors.ts';

/** Bytes that are widened at once: fits in a second-level cache with its float32 result. */
const chunkBytes = 1 << 18;

/** The names that the compiler has for the types. */
const typeNames = { F32: 'float32', F16: 'float16', BF16: 'bfloat16', I64: 'int64' } as const;

/**
 * The named tensors of a checkpoint. Only the table of contents is in memory; `read` fetches one
 * tensor. It is what the compiler calls a WeightSource.
 */
export class StateDict {
  readonly label: string;
  readonly #source: ByteSource;
  readonly #locations: ReadonlyMap<string, TensorLocation>;

  /**
   * @param source  disposed together with the state dict
   * @throws CheckpointFormatError when the checkpoint is malformed
   * @throws CheckpointUnsupportedError for an element type that we do not read
   */
  constructor(source: ByteSource) {
    this.label = source.label;
    this.#source = source;
    this.#locations = readSafetensorsHeader(source);
  }

  /** All names, in the order of the file. */
  names(): readonly string[] {
    return [...this.#locations.keys()];
  }

  has(name: string): boolean {
    return this.#locations.has(name);
  }

  shape(name: string): readonly number[] {
    return this.#location(name).shape;
  }

  type(name: string): (typeof typeNames)[keyof typeof typeNames] {
    return typeNames[this.#location(name).type];
  }

  /**
   * Reads one tensor as float32 in row-major order.
   *
   * @throws CheckpointFormatError when the file has shrunk since it was opened
   */
  read(name: string): Float32Array {
    return this.#read(this.#location(name));
  }

  /**
   * Reads rows of one tensor, all that lies under some indices of the first dimension.
   *
   * @throws CheckpointFormatError when the file has shrunk since it was opened
   */
  readRows(name: string, firstRow: number, rowCount: number): Float32Array {
    const location = this.#location(name);
    const [numRows, ...rowShape] = location.shape;
    assert(
      numRows !== undefined && firstRow >= 0 && rowCount >= 0 && firstRow + rowCount <= numRows,
      `${this.label}: ${name}: rows ${firstRow} + ${rowCount} of [${location.shape}]`,
    );
    const rowBytes = elementCount(rowShape) * elementBytes[location.type];
    return this.#read({
      ...location,
      shape: [rowCount, ...rowShape],
      byteOffset: location.byteOffset + firstRow * rowBytes,
      sizeBytes: rowCount * rowBytes,
    });
  }

  dispose(): void {
    this.#source.dispose();
  }

  #location(name: string): TensorLocation {
    const location = this.#locations.get(name);
    assert(location !== undefined, `${this.label}: ${name}: asked for without being there`);
    return location;
  }

  #read(location: TensorLocation): Float32Array {
    const values = new Float32Array(elementCount(location.shape));
    if (location.type === 'F32') {
      this.#source.read(location.byteOffset, new Uint8Array(values.buffer));
    } else {
      this.#widen(location, values);
    }
    return values;
  }

  #widen({ type, byteOffset, sizeBytes }: TensorLocation, values: Float32Array): void {
    const size = elementBytes[type];
    const chunk = new ArrayBuffer(Math.min(chunkBytes, sizeBytes));
    for (let done = 0; done < sizeBytes; done += chunk.byteLength) {
      const length = Math.min(chunk.byteLength, sizeBytes - done);
      this.#source.read(byteOffset + done, new Uint8Array(chunk, 0, length));
      if (type === 'I64') {
        int64ToFloat32(new BigInt64Array(chunk, 0, length / size), values, done / size);
      } else {
        const widen = type === 'F16' ? float16ToFloat32 : bfloat16ToFloat32;
        widen(new Uint16Array(chunk, 0, length / size), values, done / size);
      }
    }
  }
}

/**
 * Opens a safetensors file.
 *
 * @throws CheckpointFormatError when it is missing or malformed
 * @throws CheckpointUnsupportedError for an element type that we do not read
 */
export function openStateDict(file: string): StateDict {
  const source = new FileByteSource(file);
  try {
    return new StateDict(source);
  } catch (error) {
    source.dispose();
    throw error;
  }
}
