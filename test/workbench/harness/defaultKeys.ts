import type { Browser } from 'playwright-core';
import { gotoWorkbench } from './browser.ts';
import type { CodeServer } from './codeServer.ts';

/** A rule that the workbench has without the user's own. */
export interface KeyRule {
  /** As the workbench prints it; a space stands between the two of a chord. */
  key: string;
  command: string;
  /** Where it holds; everywhere without one. */
  when?: string;
}

/** The workbench in a browser takes the platform from there. */
export const userAgents = {
  Linux:
    'Mozilla/5.0 (X11; Linux x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36',
  Windows:
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36',
  Mac: 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36',
} as const;

/** Keeps what the editor copies: the clipboard itself belongs to the machine. */
const recordCopies = `
  const { setData } = DataTransfer.prototype;
  DataTransfer.prototype.setData = function (type, data) {
    if (type === 'text/plain') globalThis.copied = data;
    return setData.call(this, type, data);
  };
`;

/** Reads the default keybindings of a workbench on a platform, extensions included. */
export async function readDefaultKeys(
  browser: Browser,
  server: CodeServer,
  folder: string,
  platform: keyof typeof userAgents,
): Promise<KeyRule[]> {
  const context = await browser.newContext({ userAgent: userAgents[platform] });
  try {
    const page = await context.newPage();
    await gotoWorkbench(page, server, folder, []);
    await page.locator('.activitybar [aria-label="Thoughtline"]').first().waitFor();
    await page.evaluate(recordCopies);
    await page.keyboard.press('F1');
    const title = 'Open Default Keyboard Shortcuts (JSON)';
    await page.locator('.quick-input-widget input').fill(`>${title}`);
    await page.locator('.quick-input-list .focused').getByText(title).first().waitFor();
    await page.keyboard.press('Enter');
    await page.locator('.monaco-editor.focused .view-line').nth(1).waitFor();
    await page.keyboard.press(platform === 'Mac' ? 'Meta+A' : 'Control+A');
    await page.evaluate("document.execCommand('copy')");
    return JSON.parse(withoutComments(await page.evaluate('globalThis.copied')));
  } finally {
    await context.close();
  }
}

/** Strings may hold what looks like a comment. */
function withoutComments(text: string): string {
  return text.replaceAll(/("(?:[^"\\]|\\.)*")|\/\/.*/g, '$1');
}
