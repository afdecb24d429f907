import { CheckpointUnsupportedError } from '../../base/errors.ts';
import type { ByteSource } from './byteSource.ts';
import { maxHeaderBytes, readSafetensors } from './safetensors.ts';
import type { StoredTensor } from './storedTensor.ts';
import { readTorchCheckpoint } from './torchCheckpoint.ts';

/*
 * Which container a file is, by its first bytes. All are told apart by eight of them: read as the
 * number that begins a safetensors file, those of the others are larger than it may be.
 */

/** "PK", the start of every record of a zip archive. */
const zipStart = [0x50, 0x4b];

/** A pickle of protocol 2 or later, which begins the files that torch saved before torch 1.6. */
const pickleStart = [0x80];

/** "{" */
const jsonStart = [0x7b];

const numStartBytes = 8;

/**
 * Reads the table of contents of a file that holds tensors.
 *
 * @throws CheckpointFormatError when it is malformed
 * @throws CheckpointUnsupportedError for what we do not read
 */
export function readTensors(source: ByteSource): Map<string, StoredTensor> {
  const start = readStart(source);
  if (beginsWith(start, zipStart)) return readTorchCheckpoint(source);
  if (beginsWith(start, pickleStart)) {
    throw new CheckpointUnsupportedError(
      `${source.label}: expected a zip archive (as of torch.save since torch 1.6), found a bare ` +
        'pickle; save it anew with torch.save(torch.load(FILE, map_location="cpu"), …)',
    );
  }
  return readSafetensors(source);
}

/** Returns true for a file of JSON, which is an index of files that hold tensors. */
export function isIndex(source: ByteSource): boolean {
  return beginsWith(readStart(source), jsonStart);
}

/** Returns the first bytes; none of a safetensors file. */
function readStart(source: ByteSource): Uint8Array {
  const bytes = new Uint8Array(Math.min(numStartBytes, source.sizeBytes));
  source.read(0, bytes);
  if (bytes.length < numStartBytes) return bytes;
  const length = new DataView(bytes.buffer).getBigUint64(0, true);
  return length > BigInt(maxHeaderBytes) ? bytes : new Uint8Array();
}

function beginsWith(bytes: Uint8Array, start: readonly number[]): boolean {
  return bytes.length >= start.length && start.every((byte, index) => bytes[index] === byte);
}
