import { CheckpointFormatError, CheckpointUnsupportedError } from '../../base/errors.ts';
import { elementCount } from '../../tensor/tensor.ts';
import type { ByteSource } from './byteSource.ts';
import { type ElementType, elementTypes } from './elementTypes.ts';
import { isJsonObject, parseLimitedJson } from './headerJson.ts';
import { show } from './showValue.ts';
import { contiguousStrides, maxRank, type StoredTensor } from './storedTensor.ts';

/*
 * The table of contents of a .safetensors file:
 *
 *   length of the header    8 bytes, unsigned, little-endian
 *   header                  JSON: { name: { dtype, shape, data_offsets: [begin, end] }, … }
 *   data                    the tensors without holes, row-major, little-endian
 *
 * Offsets count from the start of the data. Source: the format's README, huggingface/safetensors.
 */

/** The element types we read, by the names of the format. */
const types = {
  F64: 'float64',
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
  I64: 'int64',
  I32: 'int32',
  U8: 'uint8',
  BOOL: 'bool',
} as const satisfies Readonly<Record<string, ElementType>>;

/** Where a tensor lies among the data. */
interface TensorLocation {
  type: ElementType;
  shape: readonly number[];
  begin: number;
  sizeBytes: number;
}

/** The reference refuses longer headers (MAX_HEADER_SIZE). */
export const maxHeaderBytes = 100_000_000;

/** Ten values for each of 100,000 tensors; the largest models we read have fewer than 2,000. */
const maxHeaderValues = 1_000_000;

/** { name: { shape: [ … ] } } has three levels. */
const maxHeaderDepth = 3;

const lengthBytes = 8;

/**
 * Reads and checks the header of a safetensors file. After it, every tensor lies inside the file,
 * has the size of its shape and overlaps no other.
 *
 * @returns the tensors in the order of the data
 * @throws CheckpointFormatError when the file is malformed
 * @throws CheckpointUnsupportedError for another element type
 */
export function readSafetensors(source: ByteSource): Map<string, StoredTensor> {
  const headerBytes = readHeaderLength(source);
  const dataStart = lengthBytes + headerBytes;
  const locations = parseHeader(source, headerBytes).map(
    ([name, value]) => [name, parseLocation(source.label, name, value)] as const,
  );
  locations.sort(([, a], [, b]) => a.begin - b.begin || a.sizeBytes - b.sizeBytes);
  checkContiguous(source, locations, source.sizeBytes - dataStart);
  return new Map(
    locations.map(([name, { type, shape, begin }]) => [
      name,
      { source, type, shape, strides: contiguousStrides(shape), byteOffset: dataStart + begin },
    ]),
  );
}

function readHeaderLength(source: ByteSource): number {
  const bytes = new Uint8Array(lengthBytes);
  source.read(0, bytes);
  const view = new DataView(bytes.buffer);
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
  if (!isJsonObject(header)) {
    throw new CheckpointFormatError(`${source.label}: expected a header with tensors, found none`);
  }
  checkMetadata(source.label, header);
  return Object.entries(header).filter(([name]) => name !== '__metadata__');
}

function checkMetadata(label: string, header: Record<string, unknown>): void {
  if (!Object.hasOwn(header, '__metadata__')) return;
  const metadata = header['__metadata__'];
  const isText =
    isJsonObject(metadata) && Object.values(metadata).every((v) => typeof v === 'string');
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
  if (!isJsonObject(value)) return fail('dtype, shape and data_offsets', value);
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
    const known = Object.keys(types).join(', ');
    throw new CheckpointUnsupportedError(
      `${label}: ${name}: expected one of the types ${known}, found ${show(dtype)}`,
    );
  }
  const type = types[dtype];
  const sizeBytes = elementCount(shape) * elementTypes[type].sizeBytes;
  if (sizeBytes !== end - begin) {
    fail(`${sizeBytes} bytes for ${dtype} ${show(shape)}`, end - begin);
  }
  return { type, shape, begin, sizeBytes };
}

/** Holds the format's rule that the tensors fill the data without holes. */
function checkContiguous(
  source: ByteSource,
  locations: readonly (readonly [string, TensorLocation])[],
  dataBytes: number,
): void {
  let position = 0;
  for (const [name, { begin, sizeBytes }] of locations) {
    if (begin !== position || begin + sizeBytes > dataBytes) {
      throw new CheckpointFormatError(
        `${source.label}: ${name}: expected data from ${position} to at most ${dataBytes}, ` +
          `found ${begin} to ${begin + sizeBytes}`,
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

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}

function isSupportedType(dtype: string): dtype is keyof typeof types {
  return Object.hasOwn(types, dtype);
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : 'another error';
}
