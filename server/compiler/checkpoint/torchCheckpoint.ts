import { CheckpointFormatError, CheckpointUnsupportedError } from '../../base/errors.ts';
import type { ByteSource } from './byteSource.ts';
import { unpickle } from './pickle.ts';
import { show } from './showValue.ts';
import type { StoredTensor } from './storedTensor.ts';
import { torchGlobals } from './torchGlobals.ts';
import { loadStorage, type TorchStorage } from './torchTensor.ts';
import { findWeights } from './torchWeights.ts';
import { readZip, requireStored, type ZipEntry } from './zip.ts';

/*
 * The file that torch.save writes since torch 1.6: a zip archive with one folder.
 *
 *   <root>/data.pkl     everything but the elements of tensors, as a pickle
 *   <root>/byteorder    "little"; files before torch 2.1 lack it and are little-endian
 *   <root>/data/<key>   the elements of a storage
 *   <root>/version      of this layout
 *
 * reference: torch/serialization.py (_save, _load); caffe2/serialize/inline_container.cc
 */

/** A tensor takes about 300 bytes; this is room for 25,000. */
const maxPickleBytes = 8 * 1024 * 1024;

/** Records of a word or two. */
const maxRecordBytes = 64;

/** kMinSupportedFileFormatVersion to kMaxSupportedFileFormatVersion of torch 2. */
const versions = { min: 1, max: 10 };

/**
 * Reads the table of contents of a torch file. Nothing that its pickle names is executed.
 *
 * @returns the tensors of its state dict; see `findWeights`
 * @throws CheckpointFormatError when the file is malformed, or imports what no checkpoint needs
 * @throws CheckpointUnsupportedError for TorchScript, big-endian files and tensors we do not read
 */
export function readTorchCheckpoint(source: ByteSource): Map<string, StoredTensor> {
  const entries = readZip(source);
  const root = rootOf(source.label, entries);
  const record = (name: string) => entries.get(`${root}/${name}`);
  refuseTorchScript(source.label, entries, root);
  requireStored(source.label, entries);
  const pickle = record('data.pkl');
  if (pickle === undefined) {
    throw new CheckpointFormatError(
      `${source.label}: expected ${show(`${root}/data.pkl`)} (as of torch.save), found none`,
    );
  }
  checkLayout(source, record);
  const storages = new Map<string, TorchStorage>();
  const value = unpickle(readEntry(source, 'data.pkl', pickle, maxPickleBytes), {
    label: `${source.label}: data.pkl`,
    globals: torchGlobals,
    persistentLoad: (id, error) => loadStorage(id, storages, (key) => record(`data/${key}`), error),
  });
  return findWeights(source, value);
}

/** Returns the folder of all entries. */
function rootOf(label: string, entries: ReadonlyMap<string, ZipEntry>): string {
  const roots = new Set([...entries.keys()].map((name) => name.split('/', 1)[0]));
  const [root] = roots;
  if (root === undefined || roots.size > 1) {
    throw new CheckpointFormatError(
      `${label}: expected an archive with one folder (as of torch.save), found ${roots.size}`,
    );
  }
  return root;
}

function refuseTorchScript(
  label: string,
  entries: ReadonlyMap<string, ZipEntry>,
  root: string,
): void {
  if (!entries.has(`${root}/constants.pkl`)) return;
  throw new CheckpointUnsupportedError(
    `${label}: expected a state dict, found a TorchScript archive; ` +
      'save it anew with torch.save(torch.jit.load(FILE).state_dict(), …)',
  );
}

/** Holds that the archive has the layout and the byte order that we read. */
function checkLayout(source: ByteSource, record: (name: string) => ZipEntry | undefined): void {
  const text = (name: string) => {
    const entry = record(name);
    if (entry === undefined) return null;
    return new TextDecoder().decode(readEntry(source, name, entry, maxRecordBytes));
  };
  const byteOrder = text('byteorder') ?? 'little';
  if (byteOrder === 'big') {
    throw new CheckpointUnsupportedError(
      `${source.label}: byteorder: expected little-endian numbers, found big-endian ones`,
    );
  }
  if (byteOrder !== 'little') {
    throw new CheckpointFormatError(
      `${source.label}: byteorder: expected "little", found ${show(byteOrder)}`,
    );
  }
  const version = text('version') ?? '';
  if (!/^\d{1,4}\n?$/.test(version)) {
    throw new CheckpointFormatError(
      `${source.label}: version: expected a number, found ${show(version)}`,
    );
  }
  if (Number(version) < versions.min || Number(version) > versions.max) {
    throw new CheckpointUnsupportedError(
      `${source.label}: version: expected ${versions.min} to ${versions.max}, found ${Number(version)}`,
    );
  }
}

function readEntry(
  source: ByteSource,
  name: string,
  { byteOffset, sizeBytes }: ZipEntry,
  maxBytes: number,
): Uint8Array {
  if (sizeBytes > maxBytes) {
    throw new CheckpointFormatError(
      `${source.label}: ${name}: expected at most ${maxBytes} bytes, found ${sizeBytes}`,
    );
  }
  const bytes = new Uint8Array(sizeBytes);
  source.read(byteOffset, bytes);
  return bytes;
}
