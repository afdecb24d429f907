import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { IntegrityError, ModelMissingError } from '../base/errors.ts';
import { maxConfigBytes } from '../model/limits.ts';
import type { Manifest } from '../model/manifest.ts';
import { checkFileSizes, manifestFiles, parseManifest } from '../model/parseManifest.ts';

/** The file that makes a folder a model; written last. */
export const manifestFile = 'manifest.json';

/** Bytes that are hashed at once: about a millisecond of the server's thread. */
const hashChunkBytes = 1 << 20;

/**
 * Opens a compiled model: reads its manifest and compares the sizes of its files.
 *
 * @throws ModelMissingError when the folder holds no manifest
 * @throws IntegrityError when it is damaged or was compiled for another version
 */
export async function openModelFolder(folder: string): Promise<Manifest> {
  const path = join(folder, manifestFile);
  const manifest = parseManifest(await readShortText(path), path);
  const sizes = new Map<string, number | null>();
  for (const { file } of manifestFiles(manifest)) {
    sizes.set(file, await fileSize(join(folder, file)));
  }
  checkFileSizes(manifest, folder, (file) => sizes.get(file) ?? null);
  return manifest;
}

/**
 * Compares every byte of a compiled model with its manifest.
 *
 * @throws ModelMissingError, IntegrityError as `openModelFolder`
 */
export async function verifyModelFolder(folder: string, signal?: AbortSignal): Promise<void> {
  const manifest = await openModelFolder(folder);
  for (const { file, sha256 } of manifestFiles(manifest)) {
    const found = await hashFile(join(folder, file), signal);
    if (found !== sha256) {
      throw new IntegrityError(`${folder}: ${file}: expected SHA-256 ${sha256}, found ${found}`);
    }
  }
}

/** Returns the size of a regular file in bytes, or null when there is none. */
export async function fileSize(path: string): Promise<number | null> {
  const status = await stat(path).catch(missing);
  return status?.isFile() ? status.size : null;
}

/**
 * Reads a configuration or a manifest.
 *
 * @throws ModelMissingError when there is no such file
 * @throws IntegrityError when it is far longer than any of ours
 */
export async function readShortText(path: string): Promise<string> {
  const sizeBytes = await fileSize(path);
  if (sizeBytes === null) throw new ModelMissingError(`${path}: expected a file, found none`);
  if (sizeBytes > maxConfigBytes) {
    throw new IntegrityError(
      `${path}: expected ${maxConfigBytes} bytes at most, found ${sizeBytes}`,
    );
  }
  return readFile(path, 'utf8');
}

async function hashFile(path: string, signal: AbortSignal | undefined): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: hashChunkBytes })) {
    signal?.throwIfAborted();
    hash.update(chunk);
  }
  return hash.digest('hex');
}

/** Turns the absence of a file into null; every other failure stays one. */
function missing(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
  throw error;
}
