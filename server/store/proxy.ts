import { DownloadError } from '../base/errors.ts';

/** What the editor says about proxies; the environment says the rest. */
export interface ProxySettings {
  /** Address of a proxy; empty means the one of the environment, if any. */
  url: string;
  /** Hosts that are reached without it, as in `NO_PROXY`. */
  exceptions: readonly string[];
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Returns the proxy through which a URL is asked for, or null. What the editor names goes before
 * `HTTPS_PROXY` and `ALL_PROXY`; `NO_PROXY` holds for both, and this machine is never behind one.
 *
 * @throws DownloadError for a proxy that we cannot speak to, such as SOCKS
 */
export function proxyFor(url: URL, settings: ProxySettings, environment: Environment): URL | null {
  const named = (name: string) => environment[name.toLowerCase()] ?? environment[name] ?? '';
  const address = settings.url || named('HTTPS_PROXY') || named('ALL_PROXY');
  if (address === '' || isLoopback(url)) return null;
  const exceptions = [...settings.exceptions, ...named('NO_PROXY').split(/[\s,]+/)];
  if (exceptions.some((exception) => isException(url, exception))) return null;
  const text = address.includes('://') ? address : `http://${address}`;
  const proxy = URL.canParse(text) ? new URL(text) : null;
  if (proxy?.protocol !== 'http:' && proxy?.protocol !== 'https:') {
    // The address may hold a password.
    const found = proxy === null ? 'something that is no address' : proxy.protocol;
    throw new DownloadError('downloadProxy', `proxy: expected http or https, found ${found}`);
  }
  return proxy;
}

/** Tells whether a URL points to this machine. */
export function isLoopback({ hostname }: URL): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname);
}

/** `*`, `host`, `.domain`, `*.domain` or one of them with a port; a host stands for its subdomains. */
function isException(url: URL, exception: string): boolean {
  if (exception === '*') return true;
  const [, host = '', port] = /^\*?\.?(.*?)(?::(\d+))?$/.exec(exception.trim().toLowerCase()) ?? [];
  if (host === '' || (port !== undefined && port !== (url.port || '443'))) return false;
  return url.hostname === host || url.hostname.endsWith(`.${host}`);
}
