import { crc32 } from 'node:zlib';

/*
 * Writes zip archives of stored entries as torch does: sizes behind the content, content at
 * multiples of 64 bytes, and zip64 where numbers need it, or everywhere when it is asked for.
 */

/** A file of the archive. */
export interface ZippedFile {
  name: string;
  sizeBytes: number;
  /** The content; called once. */
  chunks(): Iterable<Uint8Array>;
}

export interface ZipOptions {
  /** Puts every size and offset into the fields of zip64, as in an archive over 4 GiB. */
  zip64?: boolean;
  comment?: string;
}

const alignment = 64;
const moved16 = 0xffff;
const moved32 = 0xffffffff;
const sizesBehindAndUtf8 = 0x0808;
const paddingField = 0x4246; // "FB"

/** Hands the bytes of an archive to `write`, one piece after the other. */
export function writeZip(
  write: (bytes: Uint8Array) => void,
  files: Iterable<ZippedFile>,
  { zip64 = false, comment = '' }: ZipOptions = {},
): void {
  let position = 0;
  const put = (bytes: Uint8Array) => {
    write(bytes);
    position += bytes.length;
  };
  const records: Uint8Array[] = [];
  for (const file of files) {
    const headerOffset = position;
    const name = Buffer.from(file.name);
    put(localHeader(name, headerOffset));
    let checksum = 0;
    for (const chunk of file.chunks()) {
      checksum = crc32(chunk, checksum);
      put(chunk);
    }
    const isLarge = zip64 || file.sizeBytes >= moved32;
    put(descriptor(checksum, file.sizeBytes, isLarge));
    records.push(
      directoryRecord(name, checksum, {
        sizeBytes: isLarge ? file.sizeBytes : null,
        headerOffset: zip64 || headerOffset >= moved32 ? headerOffset : null,
        shortSizeBytes: isLarge ? moved32 : file.sizeBytes,
        shortHeaderOffset: zip64 || headerOffset >= moved32 ? moved32 : headerOffset,
      }),
    );
  }
  const directoryOffset = position;
  for (const record of records) put(record);
  const place = {
    numEntries: records.length,
    sizeBytes: position - directoryOffset,
    byteOffset: directoryOffset,
  };
  if (zip64 || position >= moved32) put(endRecord64(place, position));
  put(endRecord(place, zip64, comment));
}

/** Returns a file of the archive with the given content. */
export function zipped(name: string, content: Uint8Array | string): ZippedFile {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  return { name, sizeBytes: bytes.length, chunks: () => [bytes] };
}

/** Returns an archive in memory. */
export function zipBytes(files: Iterable<ZippedFile>, options?: ZipOptions): Uint8Array {
  const pieces: Uint8Array[] = [];
  writeZip((bytes) => pieces.push(bytes), files, options);
  return Buffer.concat(pieces);
}

/** A header whose extra field ends at a multiple of `alignment`. */
function localHeader(name: Uint8Array, headerOffset: number): Uint8Array {
  const start = headerOffset + 30 + name.length + 4;
  const padding = Buffer.alloc(alignment - (start % alignment), 'Z');
  return record(
    [4, 0x04034b50, 2, 0, 2, sizesBehindAndUtf8, 2, 0, 4, 0, 4, 0, 4, 0, 4, 0],
    [2, name.length, 2, 4 + padding.length],
    name,
    [2, paddingField, 2, padding.length],
    padding,
  );
}

function descriptor(checksum: number, sizeBytes: number, isLarge: boolean): Uint8Array {
  const width = isLarge ? 8 : 4;
  return record([4, 0x08074b50, 4, checksum, width, sizeBytes, width, sizeBytes]);
}

/** What the record says in 32 bits, and beside it in 64 bits unless null. */
interface RecordNumbers {
  sizeBytes: number | null;
  headerOffset: number | null;
  shortSizeBytes: number;
  shortHeaderOffset: number;
}

function directoryRecord(name: Uint8Array, checksum: number, numbers: RecordNumbers): Uint8Array {
  const { sizeBytes, headerOffset, shortSizeBytes, shortHeaderOffset } = numbers;
  const wide = [
    ...(sizeBytes === null ? [] : [8, sizeBytes, 8, sizeBytes]),
    ...(headerOffset === null ? [] : [8, headerOffset]),
  ];
  const extra = wide.length === 0 ? [] : [2, 1, 2, 4 * wide.length, ...wide];
  const extraBytes = wide.length === 0 ? 0 : 4 + 4 * wide.length;
  return record(
    [4, 0x02014b50, 2, 0, 2, 0, 2, sizesBehindAndUtf8, 2, 0, 4, 0, 4, checksum],
    [4, shortSizeBytes, 4, shortSizeBytes, 2, name.length, 2, extraBytes, 2, 0, 2, 0, 2, 0],
    [4, 0, 4, shortHeaderOffset],
    name,
    extra,
  );
}

interface DirectoryPlace {
  numEntries: number;
  sizeBytes: number;
  byteOffset: number;
}

/** The end record of zip64 and its locator. */
function endRecord64(
  { numEntries, sizeBytes, byteOffset }: DirectoryPlace,
  at: number,
): Uint8Array {
  return record(
    [4, 0x06064b50, 8, 44, 2, 45, 2, 45, 4, 0, 4, 0, 8, numEntries, 8, numEntries],
    [8, sizeBytes, 8, byteOffset],
    [4, 0x07064b50, 4, 0, 8, at, 4, 1],
  );
}

function endRecord(place: DirectoryPlace, zip64: boolean, comment: string): Uint8Array {
  const short = (value: number, moved: number) => (zip64 ? moved : Math.min(value, moved));
  const numEntries = short(place.numEntries, moved16);
  const text = Buffer.from(comment);
  return record(
    [4, 0x06054b50, 2, 0, 2, 0, 2, numEntries, 2, numEntries],
    [4, short(place.sizeBytes, moved32), 4, short(place.byteOffset, moved32), 2, text.length],
    text,
  );
}

/** Joins bytes, and numbers in pairs of width and value, little-endian. */
function record(...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  return Buffer.concat(parts.map((part) => (part instanceof Uint8Array ? part : numbers(part))));
}

function numbers(pairs: readonly number[]): Uint8Array {
  const pieces: Buffer[] = [];
  for (let index = 0; index < pairs.length; index += 2) {
    const piece = Buffer.alloc(8);
    piece.writeBigUInt64LE(BigInt(pairs[index + 1] ?? 0));
    pieces.push(piece.subarray(0, pairs[index]));
  }
  return Buffer.concat(pieces);
}
