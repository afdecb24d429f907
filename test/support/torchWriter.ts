import { closeSync, openSync, writeSync } from 'node:fs';
import type { ElementType } from '../../server/compiler/checkpoint/elementTypes.ts';
import { elementTypes } from '../../server/compiler/checkpoint/elementTypes.ts';
import { contiguousStrides } from '../../server/compiler/checkpoint/storedTensor.ts';
import { elementCount } from '../../server/tensor/tensor.ts';
import {
  call,
  dict,
  global,
  integer,
  integers,
  join,
  op,
  orderedDict,
  type PickleBytes,
  pickle,
  text,
  tuple,
} from './pickleWriter.ts';
import { writeZip, type ZipOptions, type ZippedFile, zipBytes, zipped } from './zipWriter.ts';

/*
 * Writes the files of torch.save: whole ones from tensors, in memory or, at any size, to a file;
 * and any broken one from a pickle and storages of its own. torch.load reads the whole ones.
 */

/** A contiguous tensor whose elements come in pieces. */
export interface WrittenTensor {
  name: string;
  dtype: ElementType;
  shape: readonly number[];
  /** Little-endian bytes; called once. */
  chunks(): Iterable<Uint8Array>;
  /** Name of another tensor whose storage this one shares; it has no bytes of its own then. */
  tiedTo?: string | undefined;
}

export interface TorchOptions extends ZipOptions {
  /** The key of the dict that the state dict is put in; null for the state dict alone. */
  nest?: string | null;
}

/** Writes a torch file of any size, one piece of a tensor after the other. */
export function writeTorchCheckpoint(
  file: string,
  tensors: Iterable<WrittenTensor>,
  { nest = 'model', ...options }: TorchOptions = {},
): void {
  const descriptor = openSync(file, 'w');
  try {
    const write = (bytes: Uint8Array) => {
      for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done);
    };
    writeZip(write, archiveOf([...tensors], nest), options);
  } finally {
    closeSync(descriptor);
  }
}

/** Returns a torch file in memory. */
export function torchCheckpoint(
  tensors: Iterable<WrittenTensor>,
  { nest = 'model', ...options }: TorchOptions = {},
): Uint8Array {
  return zipBytes(archiveOf([...tensors], nest), options);
}

/** Returns a tensor whose bytes are in memory. */
export function writtenTensor(
  name: string,
  dtype: ElementType,
  shape: readonly number[],
  bytes: Uint8Array,
): WrittenTensor {
  return { name, dtype, shape, chunks: () => [bytes] };
}

/** Returns a torch file with any pickle and any storages by their keys. */
export function torchArchive(
  dataPickle: Uint8Array,
  storages: Readonly<Record<string, Uint8Array>> = {},
  { byteorder = 'little', version = '3\n' }: { byteorder?: string; version?: string } = {},
): Uint8Array {
  return zipBytes([
    zipped('archive/data.pkl', dataPickle),
    zipped('archive/byteorder', byteorder),
    ...Object.entries(storages).map(([key, bytes]) => zipped(`archive/data/${key}`, bytes)),
    zipped('archive/version', version),
  ]);
}

/** The persistent identifier of a storage. */
export function storageId(className: string, key: string, numel: number | bigint): Uint8Array {
  const fields = [text('storage'), global('torch', className), text(key), text('cpu')];
  return join(tuple(...fields, integer(numel)), op.BINPERSID);
}

/** A view of a storage. */
export function rebuiltTensor(
  storage: PickleBytes,
  offset: number | bigint,
  size: readonly (number | bigint)[],
  stride: readonly (number | bigint)[],
): Uint8Array {
  const hooks = call(global('collections', 'OrderedDict'));
  const fields = [storage, integer(offset), integers(size), integers(stride), op.NEWFALSE, hooks];
  return call(global('torch._utils', '_rebuild_tensor_v2'), ...fields);
}

const storageClasses: Readonly<Record<ElementType, string>> = {
  float64: 'DoubleStorage',
  float32: 'FloatStorage',
  float16: 'HalfStorage',
  bfloat16: 'BFloat16Storage',
  int64: 'LongStorage',
  int32: 'IntStorage',
  uint8: 'ByteStorage',
  bool: 'BoolStorage',
};

function archiveOf(tensors: readonly WrittenTensor[], nest: string | null): ZippedFile[] {
  const keys = new Map(tensors.map(({ name }, index) => [name, String(index)]));
  const entries = tensors.map(({ name, dtype, shape, tiedTo }): [string, Uint8Array] => {
    const key = keys.get(tiedTo ?? name) ?? 'missing';
    const storage = storageId(storageClasses[dtype], key, elementCount(shape));
    return [name, rebuiltTensor(storage, 0, shape, contiguousStrides(shape))];
  });
  const owners = tensors.filter(({ tiedTo }) => tiedTo === undefined);
  const stateDict = orderedDict(...entries);
  return [
    zipped('archive/data.pkl', pickle(nest === null ? stateDict : dict([nest, stateDict]))),
    zipped('archive/byteorder', 'little'),
    ...owners.map(({ name, dtype, shape, chunks }) => ({
      name: `archive/data/${keys.get(name)}`,
      sizeBytes: elementCount(shape) * elementTypes[dtype].sizeBytes,
      chunks,
    })),
    zipped('archive/version', '3\n'),
  ];
}
