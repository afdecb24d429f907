import { CheckpointFormatError, CheckpointUnsupportedError } from '../../base/errors.ts';
import { elementCount } from '../../tensor/tensor.ts';
import type { ByteSource } from './byteSource.ts';
import { parseLimitedJson } from './headerJson.ts';

/*
 * The table of contents of a .safetensors file:
 *
 *   length of the header    8 bytes, unsigned, little-endian
 *   header                  JSON: { name: { dtype, shape, data_offsets: [begin, end] }, … }
 *   data                    the tensors without holes, row-major, little-endian
 *
 * Offsets count from the start of the data. Source: the format's README, huggingface/safetensors.
 */

/** The element types we read, by the names of the format, and their sizes in bytes. */
export const elementBytes = { F32: 4, F16: 2, BF16: 2, I64: 8 } as const;

export type SafetensorsType = keyof typeof elementBytes;

/** Where a tensor lies in the file. */
export interface TensorLocation {
  type: SafetensorsType;
  shape: readonly number[];
  /** From the start of the file. Not always a multiple of the element's size. */
  byteOffset: number;
  sizeBytes: number;
}

/** The reference refuses longer headers (MAX_HEADER_SIZE). */
const maxHeaderBytes = 100_000_000;

/** Ten values for each of 100,000 tensors; the largest models we read have fewer than 2,000. */
const maxHeaderValues = 1_000_000;

/** { name: { shape: [ … ] } } has three levels. */
const maxHeaderDepth = 3;

/** ONNX Runtime takes no more dimensions, and no network of ours has more than four. */
const maxRank = 8;

const lengthBytes = 8;

/** "PK\x03\x04", the start of a zip archive, which is what torch.save writes. */
const zipMagic = 0x04034b50;

/**
 * Reads and checks the header of a safetensors file. After it, every location lies inside the
 * file, has the size of its shape and overlaps no other.
 *
 * @returns locations in the order of the data
 * @throws CheckpointFormatError when the file is malformed
 * @throws CheckpointUnsupportedError for another element type or another kind of file
 */
export function readSafetensorsHeader(source: ByteSource): Map<string, TensorLocation> {
  const headerBytes = readHeaderLength(source);
  const dataStart = lengthBytes + headerBytes;
  const locations = parseHeader(source, headerBytes).map(
    ([name, value]) => [name, parseLocation(source.label, name, value)] as const,
  );
  locations.sort(([, a], [, b]) => a.byteOffset - b.byteOffset || a.sizeBytes - b.sizeBytes);
  checkContiguous(source, locations, source.sizeBytes - dataStart);
  for (const [, location] of locations) location.byteOffset += dataStart;
  return new Map(locations);
}

function readHeaderLength(source: ByteSource): number {
  const bytes = new Uint8Array(lengthBytes);
  source.read(0, bytes);
  const view = new DataView(bytes.buffer);
  if (view.getUint32(0, true) === zipMagic) {
    throw new CheckpointUnsupportedError(
      `${source.label}: expected a safetensors file, found a zip archive (as of torch.save)`,
    );
  }
  const length = view.getBigUint64(0, true);
  if (length > BigInt(maxHeaderBytes)) {
    throw new CheckpointFormatError(
      `${source.label}: expected a header of at most ${maxHeaderBytes} bytes, found ${length}`,
    );
  }
  const available = source.sizeBytes - lengthBytes;
  if (Number(length) > available) {
    throw new CheckpointFormatError(
      `${source.label}: expected a header of ${length} bytes, found a file with ${available} more`,
    );
  }
  return Number(length);
}

/** Returns the entries of the header that are tensors. */
function parseHeader(source: ByteSource, headerBytes: number): [string, unknown][] {
  const bytes = new Uint8Array(headerBytes);
  source.read(lengthBytes, bytes);
  let header: unknown;
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    header = parseLimitedJson(text, { maxDepth: maxHeaderDepth, maxValues: maxHeaderValues });
  } catch (cause) {
    throw new CheckpointFormatError(
      `${source.label}: expected a header in JSON, found ${describe(cause)}`,
      { cause },
    );
  }
  if (!isObject(header)) {
    throw new CheckpointFormatError(`${source.label}: expected a header with tensors, found none`);
  }
  checkMetadata(source.label, header);
  return Object.entries(header).filter(([name]) => name !== '__metadata__');
}

function checkMetadata(label: string, header: Record<string, unknown>): void {
  if (!Object.hasOwn(header, '__metadata__')) return;
  const metadata = header['__metadata__'];
  const isText = isObject(metadata) && Object.values(metadata).every((v) => typeof v === 'string');
  if (!isText) {
    throw new CheckpointFormatError(`${label}: __metadata__: expected texts by name, found others`);
  }
}

/** Returns a location that still counts from the start of the data. */
function parseLocation(label: string, name: string, value: unknown): TensorLocation {
  const fail = (expected: string, found: unknown): never => {
    throw new CheckpointFormatError(
      `${label}: ${name}: expected ${expected}, found ${show(found)}`,
    );
  };
  if (!isObject(value)) return fail('dtype, shape and data_offsets', value);
  const { dtype, shape, data_offsets: offsets, ...others } = value;
  if (Object.keys(others).length > 0) fail('dtype, shape and data_offsets', Object.keys(value));
  if (typeof dtype !== 'string') return fail('a dtype', dtype);
  if (!isCounts(shape) || shape.length > maxRank) return fail('a shape', shape);
  if (!isCounts(offsets)) return fail('data_offsets [begin, end]', offsets);
  const [begin, end] = offsets;
  if (begin === undefined || end === undefined || offsets.length !== 2 || begin > end) {
    return fail('data_offsets [begin, end]', offsets);
  }
  if (!isSupportedType(dtype)) {
    const types = Object.keys(elementBytes).join(', ');
    throw new CheckpointUnsupportedError(
      `${label}: ${name}: expected one of the types ${types}, found ${show(dtype)}`,
    );
  }
  const sizeBytes = elementCount(shape) * elementBytes[dtype];
  if (sizeBytes !== end - begin) {
    fail(`${sizeBytes} bytes for ${dtype} ${show(shape)}`, end - begin);
  }
  return { type: dtype, shape, byteOffset: begin, sizeBytes };
}

/** Holds the format's rule that the tensors fill the data without holes. */
function checkContiguous(
  source: ByteSource,
  locations: readonly (readonly [string, TensorLocation])[],
  dataBytes: number,
): void {
  let position = 0;
  for (const [name, { byteOffset, sizeBytes }] of locations) {
    if (byteOffset !== position || byteOffset + sizeBytes > dataBytes) {
      throw new CheckpointFormatError(
        `${source.label}: ${name}: expected data from ${position} to at most ${dataBytes}, ` +
          `found ${byteOffset} to ${byteOffset + sizeBytes}`,
      );
    }
    position += sizeBytes;
  }
  if (position !== dataBytes) {
    throw new CheckpointFormatError(
      `${source.label}: expected ${position} bytes of data, found ${dataBytes}`,
    );
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}

function isSupportedType(dtype: string): dtype is SafetensorsType {
  return Object.hasOwn(elementBytes, dtype);
}

/** Returns a value of a stranger in JSON, short enough for a message. */
function show(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : 'another error';
}
