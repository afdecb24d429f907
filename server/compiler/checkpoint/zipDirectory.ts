import { CheckpointFormatError, CheckpointUnsupportedError } from '../../base/errors.ts';
import type { ByteSource } from './byteSource.ts';
import { show, showName } from './showValue.ts';

/*
 * The table of contents of a zip archive, read from its end:
 *
 *   … entries …
 *   central directory       one record for each entry
 *   end record, 64 bits     where the directory lies; only in archives of zip64
 *   locator of that record
 *   end record              the same in 16 and 32 bits, and a comment
 *
 * Source: PKWARE, APPNOTE.TXT 6.3.10, sections 4.3 to 4.5.
 */

/** What the directory says of an entry. */
export interface DirectoryEntry {
  readonly name: string;
  /** Of the entry's own header, from the start of the file. */
  readonly headerOffset: number;
  /** How it is compressed; `stored` when not. */
  readonly method: number;
  /** Of the content, and of the bytes in the file that it is made of. */
  readonly sizeBytes: number;
  readonly storedBytes: number;
}

export interface ZipDirectory {
  readonly entries: readonly DirectoryEntry[];
  /** Where the directory begins and the entries must have ended. */
  readonly byteOffset: number;
}

/** One storage for each tensor; the largest training checkpoints we know of have fewer than 5,000. */
const maxEntries = 100_000;

/** Room for that many records with names of 250 bytes; torch.save writes names of about 20. */
const maxDirectoryBytes = 32 * 1024 * 1024;

const endRecord = { signature: 0x06054b50, bytes: 22 };
const endRecord64 = { signature: 0x06064b50, bytes: 56 };
const locator64 = { signature: 0x07064b50, bytes: 20 };
const fileRecord = { signature: 0x02014b50, bytes: 46 };

const maxCommentBytes = 0xffff;
/** Numbers that do not fit stand in the records of zip64. */
const moved16 = 0xffff;
export const moved32 = 0xffffffff;

/** The extra field with the numbers that do not fit into 32 bits. */
const zip64Field = 1;

/** The method of an entry that is not compressed. */
export const stored = 0;

/** General purpose bits 0, 6 and 13: encrypted, strongly, and with a masked directory. */
const encryptedFlags = 0x2041;

/**
 * Reads the directory of a zip archive. The entries' own headers are not looked at.
 *
 * @throws CheckpointFormatError when it is malformed
 * @throws CheckpointUnsupportedError for encrypted entries and several disks
 */
export function readZipDirectory(source: ByteSource): ZipDirectory {
  const { numEntries, sizeBytes, byteOffset } = findDirectory(source);
  const view = readView(source, byteOffset, sizeBytes);
  const entries: DirectoryEntry[] = [];
  let position = 0;
  while (entries.length < numEntries) {
    const record = parseFileRecord(source.label, view, position);
    entries.push(record.entry);
    position = record.end;
  }
  if (position !== sizeBytes) {
    throw malformed(source, `a directory of ${position} bytes`, `one of ${sizeBytes}`);
  }
  return { entries, byteOffset };
}

interface DirectoryPlace {
  numEntries: number;
  sizeBytes: number;
  byteOffset: number;
}

/** Returns where the directory lies: directly in front of the end records, and nowhere else. */
function findDirectory(source: ByteSource): DirectoryPlace {
  const end = findEndRecord(source);
  const place = readEndRecord64(source, end) ?? { ...end.place, endOffset: end.byteOffset };
  const { numEntries, sizeBytes, byteOffset, endOffset } = place;
  if (numEntries > maxEntries) {
    throw malformed(source, `at most ${maxEntries} entries`, `${numEntries}`);
  }
  if (sizeBytes > maxDirectoryBytes) {
    throw malformed(source, `a directory of at most ${maxDirectoryBytes} bytes`, `${sizeBytes}`);
  }
  if (byteOffset + sizeBytes !== endOffset) {
    const found = `one from ${byteOffset} to ${byteOffset + sizeBytes}`;
    throw malformed(source, `a directory that ends at ${endOffset}`, found);
  }
  return place;
}

/** Finds the last record of the file: the one whose comment ends with it. */
function findEndRecord(source: ByteSource): { byteOffset: number; place: DirectoryPlace } {
  const tailBytes = Math.min(source.sizeBytes, endRecord.bytes + maxCommentBytes);
  const tailOffset = source.sizeBytes - tailBytes;
  const view = readView(source, tailOffset, tailBytes);
  for (let at = tailBytes - endRecord.bytes; at >= 0; at -= 1) {
    if (view.getUint32(at, true) !== endRecord.signature) continue;
    if (at + endRecord.bytes + view.getUint16(at + 20, true) !== tailBytes) continue;
    const disks = [view.getUint16(at + 4, true), view.getUint16(at + 6, true)];
    const [here, numEntries] = [view.getUint16(at + 8, true), view.getUint16(at + 10, true)];
    if (disks.some((disk) => disk !== 0 && disk !== moved16) || here !== numEntries) {
      throw severalDisks(source);
    }
    const [sizeBytes, byteOffset] = [view.getUint32(at + 12, true), view.getUint32(at + 16, true)];
    return { byteOffset: tailOffset + at, place: { numEntries, sizeBytes, byteOffset } };
  }
  throw malformed(source, 'a zip archive with its end record', 'none; the file may be cut off');
}

/** Returns what the end record of zip64 says, or null in an archive without. */
function readEndRecord64(
  source: ByteSource,
  end: { byteOffset: number; place: DirectoryPlace },
): (DirectoryPlace & { endOffset: number }) | null {
  const locatorOffset = end.byteOffset - locator64.bytes;
  if (locatorOffset < 0) return null;
  const locator = readView(source, locatorOffset, locator64.bytes);
  if (locator.getUint32(0, true) !== locator64.signature) return null;
  if (locator.getUint32(4, true) !== 0 || locator.getUint32(16, true) > 1) {
    throw severalDisks(source);
  }
  const endOffset = uint64(locator, 8);
  if (endOffset + endRecord64.bytes > locatorOffset) {
    throw malformed(source, `an end record before ${locatorOffset}`, `one at ${endOffset}`);
  }
  const view = readView(source, endOffset, endRecord64.bytes);
  const length = uint64(view, 4) + 12; // counts what follows the signature and itself
  if (view.getUint32(0, true) !== endRecord64.signature || endOffset + length !== locatorOffset) {
    throw malformed(source, `an end record of zip64 at ${endOffset}`, 'something else');
  }
  const [here, numEntries] = [uint64(view, 24), uint64(view, 32)];
  if (view.getUint32(16, true) !== 0 || view.getUint32(20, true) !== 0 || here !== numEntries) {
    throw severalDisks(source);
  }
  const [sizeBytes, byteOffset] = [uint64(view, 40), uint64(view, 48)];
  const agrees =
    [numEntries, moved16].includes(end.place.numEntries) &&
    [sizeBytes, moved32].includes(end.place.sizeBytes) &&
    [byteOffset, moved32].includes(end.place.byteOffset);
  if (!agrees) throw malformed(source, 'two end records that agree', 'others');
  return { numEntries, sizeBytes, byteOffset, endOffset };
}

/** @returns the entry, and where the next record begins */
function parseFileRecord(
  label: string,
  view: DataView,
  at: number,
): { entry: DirectoryEntry; end: number } {
  const nameStart = at + fileRecord.bytes;
  if (nameStart > view.byteLength || view.getUint32(at, true) !== fileRecord.signature) {
    throw new CheckpointFormatError(
      `${label}: directory, byte ${at}: expected the record of an entry, found none`,
    );
  }
  const nameEnd = nameStart + view.getUint16(at + 28, true);
  const extraEnd = nameEnd + view.getUint16(at + 30, true);
  const end = extraEnd + view.getUint16(at + 32, true);
  if (end > view.byteLength) {
    throw new CheckpointFormatError(
      `${label}: directory, byte ${at}: expected a record up to ${end}, found ${view.byteLength} bytes`,
    );
  }
  const name = decodeName(label, bytesOf(view, nameStart, nameEnd));
  checkName(label, name);
  if ((view.getUint16(at + 8, true) & encryptedFlags) !== 0) {
    throw new CheckpointUnsupportedError(
      `${label}: ${showName(name)}: expected a plain entry, found an encrypted one`,
    );
  }
  const method = view.getUint16(at + 10, true);
  const extra = new DataView(view.buffer, view.byteOffset + nameEnd, extraEnd - nameEnd);
  const numbers = {
    sizeBytes: view.getUint32(at + 24, true),
    storedBytes: view.getUint32(at + 20, true),
    headerOffset: view.getUint32(at + 42, true),
    disk: view.getUint16(at + 34, true),
  };
  const { sizeBytes, storedBytes, headerOffset, disk } = widenNumbers(label, name, numbers, extra);
  if (disk !== 0) {
    throw new CheckpointUnsupportedError(
      `${label}: ${showName(name)}: expected one disk, found ${disk + 1}`,
    );
  }
  if (method === stored && sizeBytes !== storedBytes) {
    throw new CheckpointFormatError(
      `${label}: ${showName(name)}: expected ${sizeBytes} stored bytes, found ${storedBytes}`,
    );
  }
  return { entry: { name, headerOffset, method, sizeBytes, storedBytes }, end };
}

interface RecordNumbers {
  sizeBytes: number;
  storedBytes: number;
  headerOffset: number;
  disk: number;
}

/** Takes the numbers that did not fit from the field of zip64, in which only those stand. */
function widenNumbers(
  label: string,
  name: string,
  numbers: RecordNumbers,
  extra: DataView,
): RecordNumbers {
  const field = findField(label, name, extra);
  let position = 0;
  const widen = (value: number, moved: number, bytes: 4 | 8): number => {
    if (value !== moved) return value;
    position += bytes;
    if (field === null || position > field.byteLength) {
      throw new CheckpointFormatError(
        `${label}: ${showName(name)}: expected a field of zip64 with ${position} bytes, ` +
          `found ${field?.byteLength ?? 'none'}`,
      );
    }
    return bytes === 8 ? uint64(field, position - 8) : field.getUint32(position - 4, true);
  };
  return {
    sizeBytes: widen(numbers.sizeBytes, moved32, 8),
    storedBytes: widen(numbers.storedBytes, moved32, 8),
    headerOffset: widen(numbers.headerOffset, moved32, 8),
    disk: widen(numbers.disk, moved16, 4),
  };
}

/** Returns the field of zip64 among the extra fields, each an identifier, a length and bytes. */
function findField(label: string, name: string, extra: DataView): DataView | null {
  let found: DataView | null = null;
  for (let at = 0; at < extra.byteLength; ) {
    const start = at + 4;
    const end = start <= extra.byteLength ? start + extra.getUint16(at + 2, true) : start;
    if (end > extra.byteLength) {
      throw new CheckpointFormatError(
        `${label}: ${showName(name)}: expected extra fields of ${end} bytes, found ${extra.byteLength}`,
      );
    }
    if (extra.getUint16(at, true) === zip64Field) {
      if (found !== null) {
        throw new CheckpointFormatError(
          `${label}: ${showName(name)}: expected one field of zip64, found two`,
        );
      }
      found = new DataView(extra.buffer, extra.byteOffset + start, end - start);
    }
    at = end;
  }
  return found;
}

function decodeName(label: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new CheckpointFormatError(`${label}: expected names in UTF-8, found other bytes`, {
      cause,
    });
  }
}

/** Refuses names that would leave a folder if someone unpacked them; torch.save writes none. */
function checkName(label: string, name: string): void {
  const isPlain =
    !/[\\:\0]/.test(name) && name.split('/').every((part) => !['', '.', '..'].includes(part));
  if (isPlain) return;
  throw new CheckpointFormatError(`${label}: expected plain names of entries, found ${show(name)}`);
}

/** Returns bytes of the file, which the caller has compared to a limit. */
function readView(source: ByteSource, byteOffset: number, sizeBytes: number): DataView {
  const bytes = new Uint8Array(sizeBytes);
  source.read(byteOffset, bytes);
  return new DataView(bytes.buffer);
}

function bytesOf(view: DataView, start: number, end: number): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + start, end - start);
}

/** Returns the number as a double: exact up to 2⁵³, and larger ones point outside any file. */
function uint64(view: DataView, at: number): number {
  return Number(view.getBigUint64(at, true));
}

function malformed(source: ByteSource, expected: string, found: string): CheckpointFormatError {
  return new CheckpointFormatError(`${source.label}: expected ${expected}, found ${found}`);
}

function severalDisks(source: ByteSource): CheckpointUnsupportedError {
  return new CheckpointUnsupportedError(
    `${source.label}: expected an archive in one file, found one of several disks`,
  );
}
