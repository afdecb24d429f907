import { CheckpointFormatError, CheckpointUnsupportedError } from '../../base/errors.ts';
import type { ByteSource } from './byteSource.ts';
import { show, showName } from './showValue.ts';
import { type DirectoryEntry, moved32, readZipDirectory, stored } from './zipDirectory.ts';

/** Bytes of an archive that are one of its files. */
export interface ZipEntry {
  /** Of the content, from the start of the archive. */
  readonly byteOffset: number;
  readonly sizeBytes: number;
  /** How it is compressed; see `requireStored`. */
  readonly method: number;
}

const headerBytes = 30;

/** "PK\x03\x04" */
const headerSignature = 0x04034b50;

/** General purpose bit 3: the sizes stand behind the content, and zeros in the header. */
const sizesBehind = 0x0008;

/**
 * Reads the table of contents of a zip archive, and compares it with the header of each entry.
 * After it, every entry lies inside the file and overlaps no other. Checksums are not compared:
 * torch may be told not to make them (torch.serialization.set_crc32_options).
 *
 * @returns the entries by their names, in the order of the archive
 * @throws CheckpointFormatError when it is malformed
 * @throws CheckpointUnsupportedError for encrypted entries and several disks
 */
export function readZip(source: ByteSource): Map<string, ZipEntry> {
  const directory = readZipDirectory(source);
  const entries = new Map<string, ZipEntry>();
  let previousEnd = 0;
  const ordered = [...directory.entries].sort((a, b) => a.headerOffset - b.headerOffset);
  for (const entry of ordered) {
    const thing = `${source.label}: ${showName(entry.name)}`;
    if (entry.headerOffset < previousEnd) {
      throw new CheckpointFormatError(
        `${thing}: expected an entry from ${previousEnd} on, found one at ${entry.headerOffset}`,
      );
    }
    if (entries.has(entry.name)) {
      throw new CheckpointFormatError(`${thing}: expected one entry of this name, found two`);
    }
    const byteOffset = readHeader(source, thing, entry);
    previousEnd = byteOffset + entry.storedBytes;
    if (previousEnd > directory.byteOffset) {
      throw new CheckpointFormatError(
        `${thing}: expected an entry up to ${directory.byteOffset}, found one up to ${previousEnd}`,
      );
    }
    entries.set(entry.name, { byteOffset, sizeBytes: entry.storedBytes, method: entry.method });
  }
  return entries;
}

/** Compares an entry's own header with the directory; returns where the content begins. */
function readHeader(source: ByteSource, thing: string, entry: DirectoryEntry): number {
  if (entry.headerOffset + headerBytes > source.sizeBytes) {
    throw new CheckpointFormatError(
      `${thing}: expected a header before ${source.sizeBytes}, found one at ${entry.headerOffset}`,
    );
  }
  const view = new DataView(new ArrayBuffer(headerBytes));
  source.read(entry.headerOffset, new Uint8Array(view.buffer));
  const nameBytes = new TextEncoder().encode(entry.name);
  const agrees =
    view.getUint32(0, true) === headerSignature &&
    view.getUint16(8, true) === entry.method &&
    view.getUint16(26, true) === nameBytes.length;
  if (!agrees) {
    throw new CheckpointFormatError(`${thing}: expected its header, found something else`);
  }
  const name = new Uint8Array(nameBytes.length);
  source.read(entry.headerOffset + headerBytes, name);
  if (name.some((byte, index) => byte !== nameBytes[index])) {
    throw new CheckpointFormatError(
      `${thing}: expected its name in its header, found ${show(new TextDecoder().decode(name))}`,
    );
  }
  checkSizes(thing, view, entry);
  return entry.headerOffset + headerBytes + nameBytes.length + view.getUint16(28, true);
}

/** Holds that the header has the sizes of the directory, or says that they stand elsewhere. */
function checkSizes(thing: string, header: DataView, entry: DirectoryEntry): void {
  const isBehind = (header.getUint16(6, true) & sizesBehind) !== 0;
  const check = (size: number, expected: number): void => {
    if (size === expected || size === moved32 || (isBehind && size === 0)) return;
    throw new CheckpointFormatError(
      `${thing}: expected ${expected} bytes as in the directory, found ${size} in its header`,
    );
  };
  check(header.getUint32(18, true), entry.storedBytes);
  check(header.getUint32(22, true), entry.sizeBytes);
}

/**
 * Holds that nothing is compressed: the bytes of tensors are read where they lie.
 *
 * @throws CheckpointUnsupportedError when an entry is compressed
 */
export function requireStored(label: string, entries: ReadonlyMap<string, ZipEntry>): void {
  for (const [name, { method }] of entries) {
    if (method === stored) continue;
    throw new CheckpointUnsupportedError(
      `${label}: ${showName(name)}: expected an entry stored as it is, ` +
        `found one compressed by method ${method}`,
    );
  }
}
