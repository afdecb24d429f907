import { type Browser, chromium, type Page } from 'playwright-core';
import type { CodeServer } from './codeServer.ts';

/** Opens a Chromium without a window that touches nothing but the address it is given. */
export async function openBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env['THOUGHTLINE_BROWSER'] ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/**
 * Opens the workbench on a folder.
 *
 * @param payload  what the workbench is told besides: pairs as in its own `payload` query
 */
export async function gotoWorkbench(
  page: Page,
  server: CodeServer,
  folder: string,
  payload: readonly (readonly [string, string])[],
): Promise<void> {
  const query = new URLSearchParams({ folder, payload: JSON.stringify(payload) });
  await page.goto(`${server.origin}/?${query}`);
}
