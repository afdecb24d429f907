import http, { type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import https from 'node:https';
import tls from 'node:tls';
import { HttpsProxyAgent } from 'https-proxy-agent';
import type { Clock } from '../base/clock.ts';
import { DownloadError, isAbortError } from '../base/errors.ts';
import { isLoopback, type ProxySettings, proxyFor } from './proxy.ts';

/*
 * One GET request: redirects, proxies, patience and words for what goes wrong. Nothing identifies
 * the writer or the machine: no cookies, no account, no version.
 */

/** As many as browsers and curl follow is far more than a host of files needs. */
const maxRedirects = 5;

/** A connection that gives no byte for so long is given up. */
export const idleLimitMs = 60_000;

/** The longest wait a host may ask for; beyond it the writer should know. */
const maxRetryAfterMs = 120_000;

export interface HttpOptions {
  proxy: ProxySettings;
  clock: Clock;
  signal?: AbortSignal | undefined;
}

export interface HttpResponse {
  status: number;
  headers: IncomingHttpHeaders;
  /** Headers of the first answer, which may be a redirect that tells more about the file. */
  firstHeaders: IncomingHttpHeaders;
  /** Throws a `DownloadError` when the connection breaks or falls silent. Read it or destroy. */
  body: AsyncIterable<Uint8Array>;
  destroy(): void;
}

/**
 * Asks for a URL and follows redirects: to any host over https; over http only from this machine
 * to this machine.
 *
 * @throws DownloadError when there is no answer
 */
export async function get(
  url: URL,
  headers: Readonly<Record<string, string>>,
  options: HttpOptions,
): Promise<HttpResponse> {
  let firstHeaders: IncomingHttpHeaders | undefined;
  let place = checkedUrl(url, url);
  for (let redirects = 0; redirects <= maxRedirects; redirects += 1) {
    const message = await ask(place, headers, options);
    firstHeaders ??= message.headers;
    const { statusCode: status = 0 } = message;
    const { location } = message.headers;
    if (![301, 302, 303, 307, 308].includes(status) || location === undefined) {
      const body = watch(message, place, options);
      return {
        status,
        headers: message.headers,
        firstHeaders,
        body,
        destroy: () => message.destroy(),
      };
    }
    message.destroy();
    if (!URL.canParse(location, place.href)) throw refusedUrl(url, 'a redirect to no address');
    place = checkedUrl(new URL(location, place), url);
  }
  throw refusedUrl(url, `more than ${maxRedirects} redirects`);
}

/** Returns the error for a status that brings no file. */
export function statusError(url: URL, status: number, headers: IncomingHttpHeaders, clock: Clock) {
  const message = `${shown(url)}: expected the file, found status ${status}`;
  if (status === 401 || status === 403 || status === 451) {
    const hint = `${message}: the host wants an account or refuses`;
    return new DownloadError('downloadForbidden', hint);
  }
  if (status === 404 || status === 410) return new DownloadError('downloadNotFound', message);
  if (status === 407) return new DownloadError('downloadProxy', message);
  const retryAfterMs = readRetryAfter(headers['retry-after'], clock);
  const isPassing = status === 408 || status === 429 || status >= 500;
  const retryable = isPassing && (retryAfterMs ?? 0) <= maxRetryAfterMs;
  return new DownloadError('downloadFailed', message, { retryable, retryAfterMs });
}

function ask(
  url: URL,
  headers: Readonly<Record<string, string>>,
  { proxy, clock, signal }: HttpOptions,
): Promise<IncomingMessage> {
  const proxyUrl = proxyFor(url, proxy, process.env);
  const agent = proxyUrl === null ? undefined : new HttpsProxyAgent(proxyUrl);
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const options = {
      agent: agent ?? false, // a connection of its own
      headers: {
        'user-agent': 'thoughtline',
        accept: '*/*',
        'accept-encoding': 'identity',
        ...headers,
      },
    };
    const request =
      url.protocol === 'http:'
        ? http.get(url, options)
        : https.get(url, { ...options, ca: trustedCertificates() });
    const abort = () => request.destroy(abortReason(signal));
    const silence = () => request.destroy(silenceError(url));
    const cancelTimer = clock.after(idleLimitMs, silence);
    const finish = () => {
      cancelTimer();
      signal?.removeEventListener('abort', abort);
    };
    signal?.addEventListener('abort', abort, { once: true });
    // The agent replays an answer of the proxy other than "connected" as if the host had given it.
    let proxyStatus = 200;
    request.once('proxyConnect', ({ statusCode }: { statusCode: number }) => {
      proxyStatus = statusCode;
    });
    request.once('response', (message) => {
      finish();
      if (proxyStatus === 200) return resolve(message);
      message.destroy();
      const text = `proxy: expected a connection to ${url.host}, found status ${proxyStatus}`;
      reject(new DownloadError('downloadProxy', text, { retryable: proxyStatus >= 500 }));
    });
    request.on('error', (error) => {
      finish();
      reject(named(error, url));
    });
  });
}

/** Yields what comes, and gives up when nothing comes. */
async function* watch(
  message: IncomingMessage,
  url: URL,
  { clock, signal }: HttpOptions,
): AsyncGenerator<Uint8Array> {
  const abort = () => message.destroy(abortReason(signal));
  const patient = () => clock.after(idleLimitMs, () => message.destroy(silenceError(url)));
  let cancelTimer = patient();
  if (signal?.aborted) abort();
  signal?.addEventListener('abort', abort, { once: true });
  try {
    for await (const chunk of message) {
      cancelTimer();
      yield chunk;
      cancelTimer = patient();
    }
  } catch (error) {
    throw named(error, url);
  } finally {
    cancelTimer();
    signal?.removeEventListener('abort', abort);
    message.destroy();
  }
}

/** Certificates of Node and of the system, where companies put those of their proxies. */
function trustedCertificates(): string[] | undefined {
  // Node 20 does not know those of the system.
  if (typeof tls.getCACertificates !== 'function') return undefined;
  return [...tls.getCACertificates('default'), ...tls.getCACertificates('system')];
}

function checkedUrl(url: URL, first: URL): URL {
  if (url.protocol === 'https:') return url;
  const isHere = url.protocol === 'http:' && isLoopback(url);
  if (isHere && first.protocol === 'http:') return url;
  throw refusedUrl(first, `${url.protocol}//${url.host}`);
}

function refusedUrl(url: URL, found: string): DownloadError {
  return new DownloadError('downloadFailed', `${shown(url)}: expected https, found ${found}`);
}

function silenceError(url: URL): DownloadError {
  const message = `${url.host}: expected data, found silence for ${idleLimitMs / 1000} s`;
  return new DownloadError('downloadFailed', message, { retryable: true });
}

function abortReason(signal: AbortSignal | undefined): Error {
  return signal?.reason instanceof Error ? signal.reason : new DOMException('', 'AbortError');
}

const unreachable = new Set([
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENETDOWN',
  'ENETUNREACH',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'ECONNREFUSED',
  'ETIMEDOUT',
]);

const untrusted = /^(CERT_|ERR_TLS_|ERR_SSL_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|EPROTO$)/;

/** Gives an error of a connection its name. */
function named(error: unknown, url: URL): unknown {
  if (error instanceof DownloadError || isAbortError(error)) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const message = `${url.host}: expected an answer, found ${code || String(error)}`;
  const options = { cause: error, retryable: true };
  if (unreachable.has(code)) {
    const hint = `${message}: no connection, or only through a proxy`;
    return new DownloadError('downloadOffline', hint, options);
  }
  if (untrusted.test(code)) {
    const hint = `${message}: its certificate is not trusted`;
    return new DownloadError('downloadUntrusted', hint, { cause: error });
  }
  return new DownloadError('downloadFailed', message, options);
}

/** Reads seconds or a date. */
function readRetryAfter(value: string | undefined, clock: Clock): number | undefined {
  if (value === undefined) return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - clock.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}

/** A URL for messages: without what signs it. */
function shown({ origin, pathname }: URL): string {
  return `${origin}${pathname}`;
}
