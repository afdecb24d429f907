import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import type { ErrorCode } from '../../../protocol/errors.ts';
import { DownloadError } from '../../../server/base/errors.ts';
import { get } from '../../../server/store/http.ts';
import { type ProxySettings, proxyFor } from '../../../server/store/proxy.ts';
import { FakeClock } from '../../support/fakeClock.ts';

const none: ProxySettings = { url: '', exceptions: [] };

function checkProxy(
  url: string,
  expected: string | null,
  environment: Record<string, string>,
  settings = none,
) {
  const found = proxyFor(new URL(url), settings, environment);
  assert.equal(found?.href ?? null, expected, `${url} ${JSON.stringify(environment)}`);
}

test('the editor names the proxy, otherwise the environment does', () => {
  const settings = { url: 'http://editor:1', exceptions: [] };
  checkProxy('https://a.example', null, {});
  checkProxy('https://a.example', 'http://secure:8/', { HTTPS_PROXY: 'http://secure:8' });
  checkProxy('https://a.example', 'http://small:8/', {
    https_proxy: 'http://small:8',
    HTTPS_PROXY: 'http://large:8',
  });
  checkProxy('https://a.example', 'http://bare:3128/', { ALL_PROXY: 'bare:3128' });
  checkProxy('https://a.example', 'http://editor:1/', { HTTPS_PROXY: 'http://x' }, settings);
});

test('exceptions are hosts with their subdomains, stars, dots and ports', () => {
  for (const [exception, isException] of [
    ['*', true],
    ['a.example', true],
    ['example', true],
    ['.example', true],
    ['*.example', true],
    ['b.example, a.example', true],
    ['a.example:443', true],
    ['a.example:8443', false],
    ['ample', false],
    ['a.example.org', false],
    ['', false],
  ] as const) {
    const environment = { HTTPS_PROXY: 'http://p', no_proxy: exception };
    checkProxy('https://a.example/file', isException ? null : 'http://p/', environment);
  }
  const settings = { url: 'http://p', exceptions: ['a.example'] };
  checkProxy('https://a.example', null, {}, settings);
});

test('this machine is never asked through a proxy', () => {
  for (const host of ['localhost', '127.0.0.1:8080', '127.1.2.3', '[::1]:80']) {
    checkProxy(`http://${host}/`, null, { HTTPS_PROXY: 'http://p', ALL_PROXY: 'http://p' });
  }
});

test('a proxy of another kind is refused without its password', () => {
  for (const address of ['socks5://writer:secret@host:1080', 'http://wri ter:secret@']) {
    assert.throws(
      () => proxyFor(new URL('https://a.example'), { url: address, exceptions: [] }, {}),
      (error) =>
        error instanceof DownloadError &&
        error.code === 'downloadProxy' &&
        !error.message.includes('secret'),
    );
  }
});

/** Asks for a file through a proxy that answers CONNECT in a given way. */
async function checkConnect(answer: string, code: ErrorCode, message: RegExp): Promise<void> {
  const proxy = createServer();
  proxy.on('connect', (_request, socket) => socket.end(answer));
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const { port } = proxy.address() as AddressInfo; // it listens on a port
  try {
    const settings = { url: `http://writer:secret@127.0.0.1:${port}`, exceptions: [] };
    await assert.rejects(
      get(
        new URL('https://models.invalid/model.pt'),
        {},
        { proxy: settings, clock: new FakeClock() },
      ),
      (error) => {
        assert.ok(error instanceof DownloadError, String(error));
        assert.equal(error.code, code);
        assert.match(error.message, message);
        return true;
      },
    );
  } finally {
    proxy.close();
  }
}

test('a proxy that wants a name and a password is told apart from the host', () =>
  checkConnect(
    'HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n',
    'downloadProxy',
    /proxy: expected a connection to models\.invalid, found status 407/,
  ));

test('a proxy that forbids is told apart from the host', () =>
  checkConnect('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n', 'downloadProxy', /403/));

test('who speaks no TLS behind a proxy is not trusted', () =>
  checkConnect(
    'HTTP/1.1 200 Connection established\r\n\r\nHTTP/1.1 400 Bad Request\r\n\r\n',
    'downloadFailed',
    /models\.invalid/,
  ));
