import { createHash } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** How one request is answered. */
export type Answer = (request: IncomingMessage, response: ServerResponse, bytes: Buffer) => void;

/**
 * A server of files on this machine that fails on demand: each request for a path takes the next
 * of the answers that were planned for it; without a plan it gets the file, or the rest of it.
 */
export class BrokenServer {
  /** What was asked for, in order. */
  readonly requests: { path: string; range: string | undefined; ifRange: string | undefined }[] =
    [];
  readonly #files = new Map<string, Buffer>();
  readonly #plans = new Map<string, Answer[]>();
  readonly #events = new EventEmitter();
  readonly #sockets = new Set<Socket>();
  #breaking: { at: number; response: ServerResponse } | null = null;
  readonly #server = createServer((request, response) => this.#answer(request, response));

  static async start(): Promise<BrokenServer> {
    const server = new BrokenServer();
    server.#server.on('connection', (socket) => {
      server.#sockets.add(socket);
      socket.on('close', () => server.#sockets.delete(socket));
    });
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  get address(): string {
    const { port } = this.#server.address() as AddressInfo; // it listens on a port
    return `http://127.0.0.1:${port}`;
  }

  url(path: string): URL {
    return new URL(path, this.address);
  }

  /** Offers a file, and plans how the next requests for it are answered. */
  offer(path: string, bytes: Uint8Array, plan: readonly Answer[] = []): void {
    this.#files.set(path, Buffer.from(bytes));
    this.#plans.set(path, [...plan]);
  }

  /** Forgets every file, plan and request. */
  reset(): void {
    this.requests.length = 0;
    this.#files.clear();
    this.#plans.clear();
  }

  /** Resolves when an answer has fallen silent. */
  async silence(): Promise<void> {
    await once(this.#events, 'silence');
  }

  /** Answers with some bytes and then keeps the connection without a word. */
  falls(silentAfter: number): Answer {
    return (request, response, bytes) => {
      writeHead(request, response, bytes, 200);
      response.write(bytes.subarray(0, silentAfter), () => this.fallSilent());
    };
  }

  /** Tells who waits for it that an answer has fallen silent. */
  fallSilent(): void {
    this.#events.emit('silence');
  }

  /**
   * Gives so many bytes of what is asked for, and breaks the connection once they have arrived:
   * what is still on its way when a connection breaks is lost.
   */
  breaks(count: number): Answer {
    return (request, response, bytes) => {
      const first = firstByte(request, bytes);
      const start = first ?? 0;
      this.#breaking = { at: start + count, response };
      writeHead(request, response, bytes, first === null ? 200 : 206);
      response.write(bytes.subarray(start, start + count));
    };
  }

  /** Told by the test how much of the file has arrived. */
  arrived(doneBytes: number): void {
    if (this.#breaking === null || doneBytes < this.#breaking.at) return;
    this.#breaking.response.destroy();
    this.#breaking = null;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? '';
    const { range, 'if-range': ifRange } = request.headers;
    this.requests.push({ path, range, ifRange: ifRange?.toString() });
    const bytes = this.#files.get(path);
    const planned = this.#plans.get(path)?.shift();
    if (bytes === undefined) response.writeHead(404).end();
    else (planned ?? serve)(request, response, bytes);
  }
}

/** Gives the file, or the rest that is asked for when it is the rest of this file. */
export const serve: Answer = (request, response, bytes) => {
  const first = firstByte(request, bytes);
  if (first === null) {
    writeHead(request, response, bytes, 200);
    response.end(bytes);
  } else if (first >= bytes.length) {
    response.writeHead(416, { 'content-range': `bytes */${bytes.length}` }).end();
  } else {
    writeHead(request, response, bytes, 206);
    response.end(bytes.subarray(first));
  }
};

/** Gives the whole file whatever is asked for. */
export const ignoreRange: Answer = (request, response, bytes) => {
  writeHead(request, response, bytes, 200);
  response.end(bytes);
};

/** Answers with a status. */
export function status(code: number, headers: Record<string, string> = {}): Answer {
  return (_request, response) => response.writeHead(code, headers).end();
}

export function redirect(location: string, headers: Record<string, string> = {}): Answer {
  return status(302, { location, ...headers });
}

/** Breaks the connection before it says anything. */
export const hangUp: Answer = (request) => request.socket.destroy();

/** Promises another length than it gives. */
export function promise(length: number): Answer {
  return (_request, response, bytes) => {
    response.strictContentLength = false;
    response.writeHead(200, { 'content-length': length, etag: etagOf(bytes) });
    response.write(bytes, () => response.destroy());
  };
}

/** Gives the file without a word on its length, in so many more bytes. */
export function chunked(extra = 0): Answer {
  return (_request, response, bytes) => {
    response.writeHead(200, { etag: etagOf(bytes) });
    response.end(Buffer.concat([bytes, Buffer.alloc(extra)]));
  };
}

/** Gives the rest under another range than the one asked for. */
export function wrongRange(header: string): Answer {
  return (request, response, bytes) => {
    const rest = bytes.subarray(firstByte(request, bytes) ?? 0);
    response.writeHead(206, { 'content-range': header, etag: etagOf(bytes) });
    response.end(rest);
  };
}

/** Gives other bytes of the same length under the same name. */
export const wrongBytes: Answer = (request, response, bytes) => {
  writeHead(request, response, bytes, 200);
  response.end(Buffer.alloc(bytes.length, '?'));
};

/** Gives the file with other headers. */
export function withHeaders(headers: Record<string, string>): Answer {
  return (request, response, bytes) => {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    serve(request, response, bytes);
  };
}

export function etagOf(bytes: Uint8Array): string {
  return `"${createHash('md5').update(bytes).digest('hex')}"`;
}

/** Returns the first byte of the rest that is asked for, or null for the whole file. */
function firstByte({ headers }: IncomingMessage, bytes: Buffer): number | null {
  const [, first] = /^bytes=(\d+)-$/.exec(headers.range ?? '') ?? [];
  const condition = headers['if-range'];
  if (first === undefined || (condition && condition !== etagOf(bytes))) return null;
  return Number(first);
}

function writeHead(
  request: IncomingMessage,
  response: ServerResponse,
  bytes: Buffer,
  code: 200 | 206,
): void {
  const first = code === 206 ? (firstByte(request, bytes) ?? 0) : 0;
  const range = `bytes ${first}-${bytes.length - 1}/${bytes.length}`;
  response.writeHead(code, {
    'content-length': bytes.length - first,
    ...(response.hasHeader('etag') ? {} : { etag: etagOf(bytes) }),
    ...(code === 206 ? { 'content-range': range } : {}),
  });
}
