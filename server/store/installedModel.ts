import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ConceptError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { Manifest } from '../model/manifest.ts';
import { manifestFiles } from '../model/parseManifest.ts';
import { openModelFolder } from './modelFolder.ts';

/** A model of this machine, as a list shows it. What cannot be read of it is null. */
export interface InstalledModel {
  /** As `prepare` takes it. */
  name: string;
  /** Of the compiled model; of the checkpoints while it is not prepared. */
  folder: string;
  isBuiltIn: boolean;
  state: 'ready' | 'unprepared' | 'damaged';
  kind: Manifest['kind'] | null;
  space: string | null;
  /** Such as `int8`, or `int8/fp16` where its parts differ. */
  precision: string | null;
  sizeBytes: number;
  conceptModels: readonly string[];
}

/** Returns what is in a folder, or null when it is not a model. */
export async function describeFolder(folder: string, name: string): Promise<InstalledModel | null> {
  const model = { name, folder, isBuiltIn: false };
  try {
    const manifest = await openModelFolder(folder);
    const sizes = manifestFiles(manifest).map(({ sizeBytes }) => sizeBytes);
    return {
      ...model,
      state: 'ready',
      kind: manifest.kind,
      space: manifest.space,
      precision: [...new Set(precisionsOf(manifest))].join('/'),
      sizeBytes: sizes.reduce((total, size) => total + size, 0),
      conceptModels: manifest.conceptModels.map((entry) => entry.name),
    };
  } catch (error) {
    if (!(error instanceof ConceptError)) throw error;
    if (error.code === 'modelMissing') return null;
    const unknown = { kind: null, space: null, precision: null, conceptModels: [] };
    return { ...model, state: 'damaged', sizeBytes: 0, ...unknown };
  }
}

/** Returns the manifest of a folder that can be used, or null: then it is made again. */
export async function openIntact(folder: string, logger: Logger): Promise<Manifest | null> {
  try {
    return await openModelFolder(folder);
  } catch (error) {
    if (!(error instanceof ConceptError)) throw error;
    if (error.code !== 'modelMissing') logger.warn(error.message);
    return null;
  }
}

/** Returns the names of what may be models in a folder, in order; none when there is no folder. */
export async function modelNamesIn(folder: string): Promise<string[]> {
  return (await entriesOf(folder)).filter((name) => !name.startsWith('.'));
}

/** Returns the names in a folder in order; none when there is no such folder. */
export async function entriesOf(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

/** Opens every intact model of a folder. */
export async function intactModels(
  storageFolder: string,
  logger: Logger,
): Promise<{ folder: string; manifest: Manifest }[]> {
  const models = [];
  for (const name of await modelNamesIn(storageFolder)) {
    const folder = join(storageFolder, name);
    const manifest = await openIntact(folder, logger);
    if (manifest !== null) models.push({ folder, manifest });
  }
  return models;
}

function precisionsOf(manifest: Manifest): string[] {
  const own = manifest.kind === 'model' ? [manifest.encoder, manifest.decoder] : [];
  return [...own, ...manifest.conceptModels].map(({ precision }) => precision);
}
