import { elementCount } from '../../tensor/tensor.ts';
import type { ElementType } from './elementTypes.ts';
import { kindOf, type PickleErrorMaker, PickleGlobal } from './pickle.ts';
import { show } from './showValue.ts';
import { maxRank } from './storedTensor.ts';
import type { ZipEntry } from './zip.ts';

/*
 * What stands for tensors while a torch pickle is read. In the file a tensor is a view of a
 * storage, which tied tensors share:
 *
 *   _rebuild_tensor_v2(storage, storage_offset, size, stride, requires_grad, backward_hooks)
 *
 * reference: torch/_utils.py, torch/serialization.py (persistent_id, persistent_load)
 */

/** The class of a storage: the name and size of its elements. */
export class TorchStorageType {
  readonly name: string;
  readonly elementBytes: number;
  /** What we call the type; null when we do not read it. */
  readonly type: ElementType | null;

  constructor(name: string, elementBytes: number, type: ElementType | null) {
    this.name = name;
    this.elementBytes = elementBytes;
    this.type = type;
  }
}

/** Elements in the file. They fill its entry. */
export class TorchStorage {
  readonly storageType: TorchStorageType;
  readonly numel: number;
  readonly entry: ZipEntry;

  constructor(storageType: TorchStorageType, numel: number, entry: ZipEntry) {
    this.storageType = storageType;
    this.numel = numel;
    this.entry = entry;
  }
}

/** A view of a storage. All of it lies inside. */
export interface TorchTensorFields {
  storage: TorchStorage;
  storageOffset: number;
  shape: readonly number[];
  strides: readonly number[];
}

export class TorchTensor {
  readonly fields: TorchTensorFields;

  constructor(fields: TorchTensorFields) {
    this.fields = fields;
  }
}

/** A tensor that is not a view of a storage, such as a sparse or quantized one. */
export class UnsupportedTensor {
  /** The function that would make it. */
  readonly rebuild: string;

  constructor(rebuild: string) {
    this.rebuild = rebuild;
  }
}

/**
 * Elements that a tensor may have beyond those of its storage, by strides that come back to the
 * same ones: 64 MiB. Masks are expanded so; nothing that is as large as a weight.
 */
const maxRepeatedElements = 1 << 24;

/**
 * Returns what stands for a call of `_rebuild_tensor_v2`.
 *
 * @throws what `error` makes, when the arguments are not a tensor inside its storage
 */
export function rebuildTensor(args: readonly unknown[], error: PickleErrorMaker): TorchTensor {
  const [storage, storageOffset, size, stride] = args;
  if (!(storage instanceof TorchStorage)) throw error('a storage', kindOf(storage));
  if (!isCount(storageOffset)) throw error('an offset in a storage', numberText(storageOffset));
  const [shape, strides] = [counts(size, 'a size', error), counts(stride, 'strides', error)];
  if (shape.length !== strides.length) {
    throw error(`${shape.length} strides`, `${strides.length}`);
  }
  const numElements = elementCount(shape);
  if (numElements > Math.max(storage.numel, maxRepeatedElements)) {
    throw error(`at most the ${storage.numel} elements of the storage`, `[${shape.join(', ')}]`);
  }
  const last = shape.reduce((sum, n, axis) => sum + (n - 1) * (strides[axis] ?? 0), storageOffset);
  if (numElements > 0 && !(last < storage.numel)) {
    throw error(`elements before ${storage.numel}, the end of the storage`, `one at ${last}`);
  }
  return new TorchTensor({ storage, storageOffset, shape, strides });
}

/** Returns the tensor that a parameter is: `_rebuild_parameter(data, requires_grad, hooks, …)`. */
export function rebuildParameter([data]: readonly unknown[], error: PickleErrorMaker): unknown {
  if (data instanceof TorchTensor || data instanceof UnsupportedTensor) return data;
  throw error('the tensor of a parameter', kindOf(data));
}

/**
 * Returns the storage of a persistent identifier, ("storage", class, key, location, numel).
 *
 * @param loaded   the storages so far by their keys; gains this one
 * @param entryOf  finds the entry of a key
 * @throws what `error` makes, when it is none or does not have the size of its entry
 */
export function loadStorage(
  id: unknown,
  loaded: Map<string, TorchStorage>,
  entryOf: (key: string) => ZipEntry | undefined,
  error: PickleErrorMaker,
): TorchStorage {
  const fields: readonly unknown[] = Array.isArray(id) ? id : [];
  const [tag, storageClass, key, location, numel] = fields;
  const storageType = storageTypeOf(storageClass);
  const isWellFormed = tag === 'storage' && typeof location === 'string' && fields.length === 5;
  if (!isWellFormed || storageType === null || typeof key !== 'string' || !isCount(numel)) {
    throw error('("storage", class, key, location, number of elements)', kindOf(id));
  }
  const found = loaded.get(key);
  if (found !== undefined) {
    if (found.storageType === storageType && found.numel === numel) return found;
    throw error(`storage ${show(key)} as before`, `${numel} elements of ${storageType.name}`);
  }
  const entry = entryOf(key);
  if (entry === undefined) throw error('a storage of the archive', show(key));
  // A storage of bytes may end with some that are no whole element of the type it is viewed as.
  if (Math.floor(entry.sizeBytes / storageType.elementBytes) !== numel) {
    throw error(
      `storage ${show(key)} with ${numel} elements of ${storageType.elementBytes} bytes`,
      `${entry.sizeBytes} bytes`,
    );
  }
  const storage = new TorchStorage(storageType, numel, entry);
  loaded.set(key, storage);
  return storage;
}

const storageTypes = [
  new TorchStorageType('torch.DoubleStorage', 8, 'float64'),
  new TorchStorageType('torch.FloatStorage', 4, 'float32'),
  new TorchStorageType('torch.HalfStorage', 2, 'float16'),
  new TorchStorageType('torch.BFloat16Storage', 2, 'bfloat16'),
  new TorchStorageType('torch.LongStorage', 8, 'int64'),
  new TorchStorageType('torch.IntStorage', 4, 'int32'),
  new TorchStorageType('torch.ByteStorage', 1, 'uint8'),
  new TorchStorageType('torch.BoolStorage', 1, 'bool'),
  new TorchStorageType('torch.ShortStorage', 2, null),
  new TorchStorageType('torch.CharStorage', 1, null),
  new TorchStorageType('torch.ComplexFloatStorage', 8, null),
  new TorchStorageType('torch.ComplexDoubleStorage', 16, null),
  new TorchStorageType('torch.QInt8Storage', 1, null),
  new TorchStorageType('torch.QUInt8Storage', 1, null),
  new TorchStorageType('torch.QInt32Storage', 4, null),
  new TorchStorageType('torch.storage.UntypedStorage', 1, null),
];

const storageTypesByName = new Map(storageTypes.map((type) => [type.name, type]));

/** The names that a pickle may import as the class of a storage. */
export const storageClassNames: readonly string[] = [...storageTypesByName.keys()];

function storageTypeOf(storageClass: unknown): TorchStorageType | null {
  if (!(storageClass instanceof PickleGlobal)) return null;
  return storageTypesByName.get(storageClass.name) ?? null;
}

/** Returns a copy, for the list may be changed behind us. */
function counts(value: unknown, expected: string, error: PickleErrorMaker): number[] {
  if (!Array.isArray(value) || value.length > maxRank || !value.every(isCount)) {
    throw error(`${expected} of at most ${maxRank} numbers from 0 on`, shownList(value));
  }
  return [...value];
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function shownList(value: unknown): string {
  if (!Array.isArray(value)) return kindOf(value);
  return `[${value
    .slice(0, maxRank + 1)
    .map(numberText)
    .join(', ')}]`;
}

function numberText(value: unknown): string {
  return typeof value === 'number' || typeof value === 'bigint' ? String(value) : kindOf(value);
}
