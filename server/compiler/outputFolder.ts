import { createHash, randomUUID } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { ConceptError, InvalidRequestError } from '../base/errors.ts';
import { maxConfigBytes } from '../model/limits.ts';
import type { FileEntry, Manifest } from '../model/manifest.ts';
import { checkFileSizes, parseManifest } from '../model/parseManifest.ts';

/*
 * A model folder appears at once and complete: it is written beside its place under another name,
 * made durable, and renamed.
 */

const manifestFile = 'manifest.json';

/** What a model folder holds besides: a manifest alone could be anyone's. */
const mark = /^tokenizer\.model$|\.onnx$/;

/** What a model folder may hold; a folder with anything else is never replaced. */
const modelFile = /^(manifest\.json|tokenizer\.model|[A-Za-z0-9.-]+\.(onnx|bin))$/;

/** Tries to take a place that other processes are taking as well. */
const maxRenames = 5;

/** How often the thread looks at its messages: after this many bytes, some milliseconds of work. */
const pauseBytes = 4 * 1024 * 1024;

/** A folder under a provisional name, until `commit` or `discard`. */
export class OutputFolder {
  readonly #place: string;
  readonly #folder: string;

  /** @param outDir  where the folder will be */
  constructor(outDir: string) {
    this.#place = resolve(outDir);
    const parent = dirname(this.#place);
    mkdirSync(parent, { recursive: true });
    removeAbandoned(this.#place);
    const id = randomUUID().slice(0, 8);
    this.#folder = join(parent, `${provisionalPrefix(this.#place)}${process.pid}-${id}`);
    mkdirSync(this.#folder);
  }

  /**
   * Writes a file and makes it durable.
   *
   * @param onBytes  told how many bytes more are written
   */
  async write(
    file: string,
    chunks: Iterable<Uint8Array>,
    onBytes: (count: number) => void,
    signal: AbortSignal | undefined,
  ): Promise<FileEntry> {
    const hash = createHash('sha256');
    const descriptor = openSync(join(this.#folder, file), 'wx');
    let sizeBytes = 0;
    let untilPause = pauseBytes;
    try {
      for (const chunk of chunks) {
        signal?.throwIfAborted();
        writeAll(descriptor, chunk);
        hash.update(chunk);
        sizeBytes += chunk.length;
        untilPause -= chunk.length;
        onBytes(chunk.length);
        if (untilPause <= 0) {
          await new Promise((done) => setImmediate(done));
          untilPause = pauseBytes;
        }
      }
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    return { file, sizeBytes, sha256: hash.digest('hex') };
  }

  /**
   * Writes the manifest and puts the folder in its place. When another process has put an equal
   * model there, that one stays.
   *
   * @throws InvalidRequestError when something that is not a model is there
   */
  async commit(manifest: Manifest): Promise<void> {
    const text = `${JSON.stringify(manifest, null, 2)}\n`;
    await this.write(manifestFile, [Buffer.from(text)], () => {}, undefined);
    syncFolder(this.#folder);
    for (let attempt = 1; attempt <= maxRenames; attempt += 1) {
      if (openFinished(this.#place, manifest.sourceDigest) !== null) return this.discard();
      this.#clear();
      if (this.#take(attempt === maxRenames)) break;
    }
    syncFolder(dirname(this.#place));
  }

  /** Leaves nothing behind. */
  discard(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Moves an older model away; Windows does not rename onto a folder, even an empty one. */
  #clear(): void {
    checkReplaceable(this.#place);
    if (!existsSync(this.#place)) return;
    const old = `${this.#folder}-old`;
    try {
      renameSync(this.#place, old);
    } catch (error) {
      if (existsSync(this.#place)) throw error; // else another process has moved it
    }
    rmSync(old, { recursive: true, force: true });
  }

  /** Returns false when another process has been there first. */
  #take(isLast: boolean): boolean {
    try {
      renameSync(this.#folder, this.#place);
      return true;
    } catch (error) {
      if (isLast || !existsSync(this.#place)) throw error;
      return false;
    }
  }
}

/** Returns the manifest of an intact model of the given sources, or null when it must be made. */
export function openFinished(folder: string, sourceDigest: string): Manifest | null {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return null;
  const path = join(folder, manifestFile);
  const sizeBytes = sizeOf(path);
  if (sizeBytes === null || sizeBytes > maxConfigBytes) return null;
  try {
    const manifest = parseManifest(readFileSync(path, 'utf8'), path);
    checkFileSizes(manifest, folder, (file) => sizeOf(join(folder, file)));
    return manifest.sourceDigest === sourceDigest ? manifest : null;
  } catch (error) {
    if (!(error instanceof ConceptError)) throw error;
    return null;
  }
}

/**
 * Refuses to write where something other than a model is.
 *
 * @throws InvalidRequestError when the folder exists, is not empty and is not a model
 */
export function checkReplaceable(folder: string): void {
  const status = statSync(folder, { throwIfNoEntry: false });
  if (status === undefined) return;
  const files = status.isDirectory() ? readdirSync(folder) : null;
  const isModel =
    files?.includes(manifestFile) &&
    files.some((file) => mark.test(file)) &&
    files.every((file) => modelFile.test(file));
  if (!isModel && files?.length !== 0) {
    throw new InvalidRequestError(
      `${folder}: expected no folder, an empty one or a model, found something else`,
    );
  }
}

function provisionalPrefix(place: string): string {
  return `.${basename(place)}.partial-`;
}

/** Removes what processes that are gone have left. */
function removeAbandoned(place: string): void {
  const prefix = provisionalPrefix(place);
  for (const entry of readdirSync(dirname(place))) {
    const pid = Number.parseInt(entry.slice(prefix.length), 10);
    if (entry.startsWith(prefix) && pid > 0 && !isRunning(pid)) {
      rmSync(join(dirname(place), entry), { recursive: true, force: true });
    }
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}

function sizeOf(path: string): number | null {
  const status = statSync(path, { throwIfNoEntry: false });
  return status?.isFile() ? status.size : null;
}

function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) {
    done += writeSync(descriptor, bytes, done, bytes.length - done);
  }
}

/** Makes the names in a folder durable; Windows has no such call and does so by itself. */
function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
