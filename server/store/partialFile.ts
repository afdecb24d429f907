import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DownloadError } from '../base/errors.ts';
import { maxConfigBytes } from '../model/limits.ts';
import { fileSize } from './modelFolder.ts';

/*
 * A file that is being downloaded lies beside its place, as `NAME.part` with a note of where it
 * comes from, `NAME.part.json`. It gets its name when it is whole, checked and durable; then
 * `NAME.json` records what it is.
 */

/** What a host said about the file when its first byte came. */
export interface PartialNote {
  url: string;
  /** A strong ETag or a date: with it a host can tell whether the rest is of the same file. */
  validator: string | null;
  /** Length of the whole file. */
  totalBytes: number | null;
}

/** Who vouches for a digest: we, the host that sent the file, or nobody. */
export type DigestSource = 'pinned' | 'announced' | 'none';

/** What is known of a downloaded file. */
export interface DownloadRecord {
  url: string;
  sizeBytes: number;
  /** Of the file as it came. */
  sha256: string;
  /** What it was compared with. */
  checkedAgainst: DigestSource;
}

/** Bytes that are hashed at once: about a millisecond of the server's thread. */
const hashChunkBytes = 1 << 20;

/** Returns the record of a file that was downloaded and is still there, or null. */
export async function readDownloadRecord(file: string): Promise<DownloadRecord | null> {
  const record = await readNote(`${file}.json`, isDownloadRecord);
  return record !== null && (await fileSize(file)) === record.sizeBytes ? record : null;
}

/** Removes a downloaded file and whatever is left of it. */
export async function removeDownload(file: string): Promise<void> {
  for (const suffix of ['', '.json', '.part', '.part.json'])
    await rm(file + suffix, { force: true });
}

/** Returns how much of a file has come so far. */
export async function downloadedBytes(file: string): Promise<number> {
  return (await fileSize(file)) ?? (await fileSize(`${file}.part`)) ?? 0;
}

/** A file on its way. Its digest is kept while it grows. */
export class PartialFile {
  readonly #file: string;
  readonly #handle: FileHandle;
  #note: PartialNote | null;
  #hash: Hash;
  #sizeBytes: number;

  private constructor(
    file: string,
    handle: FileHandle,
    state: { note: PartialNote | null; hash: Hash; sizeBytes: number },
  ) {
    this.#file = file;
    this.#handle = handle;
    this.#note = state.note;
    this.#hash = state.hash;
    this.#sizeBytes = state.sizeBytes;
  }

  /** Opens what has come so far, reading it once for its digest. */
  static async open(file: string, signal?: AbortSignal): Promise<PartialFile> {
    await mkdir(dirname(file), { recursive: true });
    const note = await readNote(`${file}.part.json`, isPartialNote);
    const hash = createHash('sha256');
    let sizeBytes = 0;
    if (note !== null && (await fileSize(`${file}.part`)) !== null) {
      const stream = createReadStream(`${file}.part`, { highWaterMark: hashChunkBytes });
      for await (const chunk of stream) {
        signal?.throwIfAborted();
        hash.update(chunk);
        sizeBytes += chunk.length;
      }
    }
    const handle = await open(`${file}.part`, sizeBytes > 0 ? 'r+' : 'w');
    return new PartialFile(file, handle, { note, hash, sizeBytes });
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  get note(): PartialNote | null {
    return this.#note;
  }

  /** Forgets every byte and notes where the new ones come from. */
  async restart(note: PartialNote | null): Promise<void> {
    await this.#handle.truncate(0);
    this.#hash = createHash('sha256');
    this.#sizeBytes = 0;
    this.#note = note;
    if (note === null) await rm(`${this.#file}.part.json`, { force: true });
    else await writeNote(`${this.#file}.part.json`, note);
  }

  /** @throws DownloadError when the disk is full */
  async append(chunk: Uint8Array): Promise<void> {
    try {
      for (let done = 0; done < chunk.length; ) {
        const { bytesWritten } = await this.#handle.write(
          chunk,
          done,
          chunk.length - done,
          this.#sizeBytes + done,
        );
        done += bytesWritten;
      }
    } catch (error) {
      throw fullDiskError(error, this.#file);
    }
    this.#hash.update(chunk);
    this.#sizeBytes += chunk.length;
  }

  /** Returns the SHA-256 of what has come so far. */
  digest(): string {
    return this.#hash.copy().digest('hex');
  }

  /** Makes the file durable and gives it its name. */
  async finish(record: DownloadRecord): Promise<void> {
    await this.#handle.sync();
    await this.#handle.close();
    await writeNote(`${this.#file}.json`, record);
    await rename(`${this.#file}.part`, this.#file);
    await rm(`${this.#file}.part.json`, { force: true });
  }

  /** Closes the file and keeps what has come; after `finish` it does nothing. */
  async close(): Promise<void> {
    if (this.#handle.fd >= 0) await this.#handle.close();
  }

  /** Removes what has come: it is worthless. */
  async discard(): Promise<void> {
    await this.close();
    await rm(`${this.#file}.part`, { force: true });
    await rm(`${this.#file}.part.json`, { force: true });
  }
}

/** Gives the lack of room its name. */
export function fullDiskError(error: unknown, place: string): unknown {
  const isFull =
    error instanceof Error && 'code' in error && /^(ENOSPC|EDQUOT)$/.test(String(error.code));
  if (!isFull) return error;
  const message = `${place}: expected room for more, found a full disk`;
  return new DownloadError('notEnoughSpace', message, { cause: error });
}

/** A note is replaced at once: it is never found half written. */
export async function writeNote(path: string, note: object): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(`${path}.new`, `${JSON.stringify(note)}\n`, { flush: true });
    await rename(`${path}.new`, path);
  } catch (error) {
    throw fullDiskError(error, path);
  }
}

/** Returns a note, or null when there is none that can be used. */
export async function readNote<T>(
  path: string,
  accepts: (value: unknown) => value is T,
): Promise<T | null> {
  const sizeBytes = await fileSize(path);
  if (sizeBytes === null || sizeBytes > maxConfigBytes) return null;
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    return accepts(value) ? value : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function isPartialNote(value: unknown): value is PartialNote {
  const { url, validator, totalBytes } = Object(value);
  return (
    typeof url === 'string' &&
    (validator === null || typeof validator === 'string') &&
    (totalBytes === null || Number.isSafeInteger(totalBytes))
  );
}

export function isDownloadRecord(value: unknown): value is DownloadRecord {
  const { url, sizeBytes, sha256, checkedAgainst } = Object(value);
  return (
    typeof url === 'string' &&
    Number.isSafeInteger(sizeBytes) &&
    typeof sha256 === 'string' &&
    ['pinned', 'announced', 'none'].includes(checkedAgainst)
  );
}

export function isJsonObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
