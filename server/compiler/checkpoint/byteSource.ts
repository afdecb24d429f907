import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { CheckpointFormatError } from '../../base/errors.ts';

/** Bytes that can be read anywhere, so that a checkpoint is never in memory as a whole. */
export interface ByteSource {
  /** What errors call it, such as the path of the file. */
  readonly label: string;
  readonly sizeBytes: number;
  /**
   * Fills `target` with the bytes from `byteOffset` on.
   *
   * @throws CheckpointFormatError when the source ends before
   */
  read(byteOffset: number, target: Uint8Array): void;
  dispose(): void;
}

/** Most bytes of one read: the system call takes at most 2³¹ − 1. */
const maxReadBytes = 1 << 30;

/** The bytes of a file, read through a descriptor that stays open until `dispose`. */
export class FileByteSource implements ByteSource {
  readonly label: string;
  readonly sizeBytes: number;
  #descriptor: number | null;

  /** @throws CheckpointFormatError when the file cannot be opened or is not a regular file */
  constructor(file: string) {
    this.label = file;
    const descriptor = openForReading(file);
    this.#descriptor = descriptor;
    const status = fstatSync(descriptor);
    this.sizeBytes = status.size;
    if (!status.isFile()) {
      this.dispose();
      throw new CheckpointFormatError(`${file}: expected a regular file, found something else`);
    }
  }

  read(byteOffset: number, target: Uint8Array): void {
    let done = 0;
    while (done < target.length) {
      const count = this.#readSome(byteOffset + done, target.subarray(done, done + maxReadBytes));
      if (count === 0) throw endOfSource(this.label, byteOffset, target.length, done);
      done += count;
    }
  }

  dispose(): void {
    if (this.#descriptor !== null) closeSync(this.#descriptor);
    this.#descriptor = null;
  }

  #readSome(byteOffset: number, target: Uint8Array): number {
    if (this.#descriptor === null) {
      throw new CheckpointFormatError(`${this.label}: expected an open file, found it closed`);
    }
    return readSync(this.#descriptor, target, 0, target.length, byteOffset);
  }
}

/**
 * Returns all bytes of a small file.
 *
 * @throws CheckpointFormatError when it is missing or larger than `maxBytes`
 */
export function readWholeFile(file: string, maxBytes: number): Uint8Array {
  const source = new FileByteSource(file);
  try {
    if (source.sizeBytes > maxBytes) {
      throw new CheckpointFormatError(
        `${file}: expected at most ${maxBytes} bytes, found ${source.sizeBytes}`,
      );
    }
    const bytes = new Uint8Array(source.sizeBytes);
    source.read(0, bytes);
    return bytes;
  } finally {
    source.dispose();
  }
}

/** Returns the error for a source that ends inside the bytes that were asked for. */
export function endOfSource(
  label: string,
  byteOffset: number,
  expected: number,
  found: number,
): CheckpointFormatError {
  return new CheckpointFormatError(
    `${label}: expected ${expected} bytes at offset ${byteOffset}, found ${found}`,
  );
}

function openForReading(file: string): number {
  try {
    return openSync(file, 'r');
  } catch (cause) {
    throw new CheckpointFormatError(`${file}: expected a readable file, found none`, { cause });
  }
}
