import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type DownloadRecord, isDownloadRecord, readNote, writeNote } from './partialFile.ts';

/*
 * Where an installed model comes from. The note lies beside the model's folder and not in it: a
 * model folder holds only what its manifest names.
 */

export interface Origin {
  /** Entry of the catalogue. */
  id: string;
  title: string;
  /** Identifier of the licence that was accepted. */
  licence: string;
  /** The files it was compiled from, as they came. */
  files: readonly DownloadRecord[];
}

export function readOrigin(storageFolder: string, name: string): Promise<Origin | null> {
  return readNote(originPath(storageFolder, name), isOrigin);
}

export function writeOrigin(storageFolder: string, name: string, origin: Origin): Promise<void> {
  return writeNote(originPath(storageFolder, name), origin);
}

export function removeOrigin(storageFolder: string, name: string): Promise<void> {
  return rm(originPath(storageFolder, name), { force: true });
}

function originPath(storageFolder: string, name: string): string {
  return join(storageFolder, '.origins', `${name}.json`);
}

function isOrigin(value: unknown): value is Origin {
  const { id, title, licence, files } = Object(value);
  return (
    [id, title, licence].every((text) => typeof text === 'string') &&
    Array.isArray(files) &&
    files.every(isDownloadRecord)
  );
}
