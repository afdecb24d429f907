import { basename } from 'node:path';
import { type Clock, wait } from '../base/clock.ts';
import { DownloadError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { get, type HttpOptions, type HttpResponse, statusError } from './http.ts';
import {
  type DownloadRecord,
  PartialFile,
  type PartialNote,
  readDownloadRecord,
} from './partialFile.ts';
import type { ProxySettings } from './proxy.ts';

/** Attempts without progress before the writer is told. */
const maxAttempts = 6;

/** The first wait between two attempts; each one after it is twice as long, up to the longest. */
const firstBackoffMs = 1000;
const longestBackoffMs = 30_000;

/** Less than this is no progress: a host that breaks after every byte is given up. */
const progressBytes = 1 << 20;

export interface DownloadRequest {
  url: URL;
  /** Where the file will be. */
  file: string;
  /** Null when nobody has told us. */
  sizeBytes: number | null;
  /** Null when nobody has told us. */
  sha256: string | null;
}

export interface DownloadOptions {
  proxy: ProxySettings;
  clock: Clock;
  logger: Logger;
  /** @param doneBytes  of the file, with what had come before */
  onProgress?: ((doneBytes: number) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Downloads a file, going on where an earlier attempt has stopped. The file has its name only when
 * it is whole and its digest is the expected one.
 *
 * The digest is the one we know; without it the one that the host announces, as the hub does in
 * `X-Linked-ETag`; without that only the length is compared, and the record says so.
 *
 * @throws DownloadError; what had come stays for the next attempt unless it is wrong
 */
export async function download(
  request: DownloadRequest,
  options: DownloadOptions,
): Promise<DownloadRecord> {
  const { clock, logger, signal } = options;
  const finished = await readDownloadRecord(request.file);
  if (finished !== null && (request.sha256 ?? finished.sha256) === finished.sha256) {
    return finished;
  }
  const part = await PartialFile.open(request.file, signal);
  try {
    for (let attempts = 1; ; attempts += 1) {
      const sizeBefore = part.sizeBytes;
      try {
        return await attempt(part, request, options);
      } catch (error) {
        if (!(error instanceof DownloadError) || !error.retryable) throw error;
        if (part.sizeBytes - sizeBefore >= progressBytes) attempts = 1;
        if (attempts >= maxAttempts) throw error;
        const backoffMs = Math.min(firstBackoffMs * 2 ** (attempts - 1), longestBackoffMs);
        const waitMs = error.retryAfterMs ?? backoffMs;
        logger.warn(`${error.message}; trying again in ${waitMs} ms`);
        await wait(clock, waitMs, signal);
      }
    }
  } catch (error) {
    if (error instanceof DownloadError && error.code === 'downloadCorrupt') await part.discard();
    throw error;
  } finally {
    await part.close();
  }
}

async function attempt(
  part: PartialFile,
  request: DownloadRequest,
  { proxy, clock, onProgress, signal }: DownloadOptions,
): Promise<DownloadRecord> {
  const http: HttpOptions = { proxy, clock, signal };
  const name = basename(request.file);
  const range = rangeHeaders(part, request);
  const response = await get(request.url, range ?? {}, http);
  const announced = announcedDigest(response);
  try {
    const totalBytes = await beginBody(part, response, request, { isRange: range !== null, http });
    onProgress?.(part.sizeBytes);
    if (totalBytes === null || part.sizeBytes < totalBytes) {
      for await (const chunk of response.body) {
        if (totalBytes !== null && part.sizeBytes + chunk.length > totalBytes) {
          throw corrupt(name, `${totalBytes} bytes`, 'more');
        }
        await part.append(chunk);
        onProgress?.(part.sizeBytes);
      }
    }
    if (totalBytes !== null && part.sizeBytes < totalBytes) {
      const message = `${name}: expected ${totalBytes} bytes, found the end after ${part.sizeBytes}`;
      throw new DownloadError('downloadFailed', message, { retryable: true });
    }
  } finally {
    response.destroy();
  }
  const sha256 = part.digest();
  const expected = request.sha256 ?? announced;
  if (expected !== null && sha256 !== expected) {
    throw corrupt(name, `SHA-256 ${expected}`, sha256);
  }
  const checkedAgainst =
    request.sha256 !== null ? 'pinned' : announced !== null ? 'announced' : 'none';
  const { sizeBytes } = part;
  const record = { url: request.url.href, sizeBytes, sha256, checkedAgainst } as const;
  await part.finish(record);
  return record;
}

/** Asks for the rest of what has come, where it can be told that it is the rest of the same file. */
function rangeHeaders(part: PartialFile, { url, sha256 }: DownloadRequest) {
  if (part.sizeBytes === 0 || part.note === null) return null;
  const Range = `bytes=${part.sizeBytes}-`;
  if (part.note.url === url.href && part.note.validator !== null) {
    return { Range, 'If-Range': part.note.validator };
  }
  return sha256 === null ? null : { Range };
}

/**
 * Reads what the host says before the first byte, and makes the file ready for it.
 *
 * @returns the length of the whole file; null when the host does not know it
 */
async function beginBody(
  part: PartialFile,
  { status, headers }: HttpResponse,
  request: DownloadRequest,
  { isRange, http }: { isRange: boolean; http: HttpOptions },
): Promise<number | null> {
  const name = basename(request.file);
  const askAgain = async (found: string): Promise<never> => {
    await part.restart(null);
    const message = `${name}: expected the rest of the file, found ${found}`;
    throw new DownloadError('downloadFailed', message, { retryable: true });
  };
  if (status === 416 && isRange) {
    const totalBytes = readRange(headers['content-range'])?.totalBytes;
    if (totalBytes === part.sizeBytes) return checkedTotal(totalBytes, request);
    return askAgain('that it has another length');
  }
  if (status !== 200 && !(status === 206 && isRange)) {
    throw statusError(request.url, status, headers, http.clock);
  }
  refuseOtherContent(name, headers);
  const validator = validatorOf(headers);
  if (status === 206) {
    const found = readRange(headers['content-range']);
    const isRest =
      found?.first === part.sizeBytes &&
      found.last === found.totalBytes - 1 &&
      [null, found.totalBytes].includes(part.note?.totalBytes ?? null) &&
      [null, validator].includes(part.note?.validator ?? null);
    if (!isRest) return askAgain(headers['content-range'] ?? 'no range');
    return checkedTotal(found.totalBytes, request);
  }
  const length = headers['content-length'];
  const totalBytes = length === undefined ? null : Number(length);
  const isBounded = totalBytes !== null || headers['transfer-encoding'] === 'chunked';
  if (!isBounded && request.sizeBytes === null) {
    throw new DownloadError('downloadFailed', `${name}: expected its length, found none`);
  }
  const checked = checkedTotal(totalBytes ?? request.sizeBytes, request);
  const note: PartialNote = { url: request.url.href, validator, totalBytes: checked };
  await part.restart(note);
  return checked;
}

/** @throws DownloadError when the host has a file of another length than ours */
function checkedTotal(totalBytes: number | null, { file, sizeBytes }: DownloadRequest) {
  if (sizeBytes !== null && totalBytes !== null && totalBytes !== sizeBytes) {
    throw corrupt(basename(file), `${sizeBytes} bytes`, String(totalBytes));
  }
  return totalBytes;
}

/** A network that wants a sign-in answers everything with a page. */
function refuseOtherContent(name: string, headers: HttpResponse['headers']): void {
  const type = headers['content-type'] ?? '';
  if (/^text\/html\b/i.test(type)) {
    const message = `${name}: expected the file, found a web page; the network may want a sign-in`;
    throw new DownloadError('downloadFailed', message);
  }
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') {
    const message = `${name}: expected the file as it is, found it in encoding ${encoding}`;
    throw new DownloadError('downloadFailed', message);
  }
}

/** A weak ETag says that two files are as good as equal, not that they are equal. */
function validatorOf({ etag, 'last-modified': lastModified }: HttpResponse['headers']) {
  return etag?.startsWith('"') ? etag : (lastModified ?? null);
}

/** The hub names the SHA-256 of a large file in the redirect to where it lies. */
function announcedDigest({ firstHeaders }: HttpResponse): string | null {
  const linked = firstHeaders['x-linked-etag'];
  return /^"([0-9a-f]{64})"$/.exec(String(linked))?.[1] ?? null;
}

/** Reads `bytes 5-9/10`, or `bytes *\/10`. */
function readRange(header: string | undefined) {
  const [, first, last, total] = /^bytes (?:(\d+)-(\d+)|\*)\/(\d+)$/.exec(header ?? '') ?? [];
  if (total === undefined) return null;
  return { first: Number(first), last: Number(last), totalBytes: Number(total) };
}

function corrupt(name: string, expected: string, found: string): DownloadError {
  return new DownloadError('downloadCorrupt', `${name}: expected ${expected}, found ${found}`);
}
