import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Browser, Locator, Page } from 'playwright-core';
import { gotoWorkbench, openBrowser } from './browser.ts';
import { type CodeServer, startCodeServer } from './codeServer.ts';
import { eventually } from './eventually.ts';
import { descendants } from './processes.ts';

/** Keeps every ghost text that was ever drawn, because one that must not appear may be gone again. */
const recordGhostTexts = `
  globalThis.drawnGhostTexts = [];
  globalThis.vanishedGhostTexts = 0;
  let shown = '';
  new MutationObserver(() => {
    const parts = [...document.querySelectorAll('.ghost-text-decoration')];
    const text = parts.map((part) => part.textContent).join('');
    if (text !== '' && text !== shown) globalThis.drawnGhostTexts.push(text);
    if (text === '' && shown !== '') globalThis.vanishedGhostTexts++;
    shown = text;
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
`;

/** A VS Code with our extension on a folder of its own, and a writer's hands on its keyboard. */
export class Workbench {
  readonly page: Page;
  readonly #folder: string;
  readonly #server: CodeServer;
  readonly #browser: Browser;

  private constructor(page: Page, folder: string, server: CodeServer, browser: Browser) {
    this.page = page;
    this.#folder = folder;
    this.#server = server;
    this.#browser = browser;
  }

  /**
   * Opens a workbench and returns when the extension says that its model is ready.
   *
   * @param files     the documents of the folder, by name; the first is opened
   * @param settings  the user's settings, besides those of a quiet workbench
   */
  static async open(
    files: Readonly<Record<string, string>>,
    settings: Readonly<Record<string, unknown>> = {},
  ): Promise<Workbench> {
    const folder = mkdtempSync(join(tmpdir(), 'thoughtline-documents-'));
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
    const server = await startCodeServer({ extension: process.cwd(), settings });
    const browser = await openBrowser();
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    const workbench = new Workbench(page, folder, server, browser);
    try {
      const first = Object.keys(files)[0] ?? '';
      await gotoWorkbench(page, server, folder, [['openFile', server.remote(join(folder, first))]]);
      await page.locator('.monaco-editor .view-line').first().waitFor();
      await page.evaluate(recordGhostTexts);
      await workbench.waitUntilReady();
      return workbench;
    } catch (error) {
      await workbench.dispose();
      throw error;
    }
  }

  /** Typing before the model is ready would ask nobody. */
  async waitUntilReady(): Promise<void> {
    await this.#statusItem().and(this.page.locator('[aria-label*="Ready"]')).waitFor();
  }

  /** Returns what the status bar item tells a screen reader: the state, the latency of the last answer. */
  async status(): Promise<string> {
    return (await this.#statusItem().getAttribute('aria-label')) ?? '';
  }

  #statusItem(): Locator {
    return this.page.locator('.statusbar-item[id^="thoughtline."]');
  }

  /** Runs a command by its title, from the command palette. */
  async runCommand(title: string): Promise<void> {
    await this.page.keyboard.press('F1');
    await this.page.locator('.quick-input-widget input').fill(`>${title}`);
    // Commands with more words between those of the title are found, too.
    await this.page.locator('.quick-input-list').getByText(title).first().click();
  }

  async openFile(name: string): Promise<void> {
    await this.page.keyboard.press('Control+P');
    await this.page.locator('.quick-input-widget input').fill(name);
    await this.page.locator('.quick-input-list .focused').getByText(name).first().waitFor();
    await this.page.keyboard.press('Enter');
    await this.page.getByRole('tab', { name, selected: true }).waitFor();
    await this.page.locator('.monaco-editor.focused').waitFor();
  }

  /** Puts the caret behind the last character of a line, counted from 1. */
  async putCaretAtEndOf(line: number): Promise<void> {
    await this.page.keyboard.press('Control+G');
    // A column past the end is the end; the End key would stop where the line is wrapped.
    await this.page.locator('.quick-input-widget input').fill(`:${line}:10000`);
    await this.page.keyboard.press('Enter');
    await this.page.locator('.monaco-editor.focused').waitFor();
  }

  async type(text: string): Promise<void> {
    await this.page.keyboard.type(text);
  }

  async press(key: string): Promise<void> {
    await this.page.keyboard.press(key);
  }

  /** Waits until a ghost text stands that is not `other`, and returns it. */
  async ghostText(other = ''): Promise<string> {
    const parts = this.page.locator('.ghost-text-decoration');
    return eventually(async () => {
      const text = plain((await parts.allTextContents()).join(''));
      return text !== '' && text !== other && text;
    }, 'ghost text');
  }

  /** Returns every ghost text drawn so far, oldest first. */
  async drawnGhostTexts(): Promise<string[]> {
    const texts: string[] = await this.page.evaluate('globalThis.drawnGhostTexts');
    return texts.map(plain);
  }

  /** Returns how often a ghost text has gone without another in its place. */
  async vanishedGhostTexts(): Promise<number> {
    return this.page.evaluate('globalThis.vanishedGhostTexts');
  }

  /** Returns what can be chosen from, once the list of this title has opened. */
  async choices(title: string): Promise<string[]> {
    await this.page.locator('.quick-input-title').getByText(title).waitFor();
    // An entry may have a second row, of details.
    const rows = this.page.locator('.quick-input-list-rows > :first-child .label-name');
    await rows.first().waitFor();
    return (await rows.allTextContents()).map(plain);
  }

  /** Chooses the entry of the open list that has these words. */
  async choose(words: string): Promise<void> {
    await this.page.locator('.quick-input-list').getByText(words).first().click();
  }

  /** Answers the input box that is open. */
  async answer(text: string): Promise<void> {
    const box = this.page.locator(
      '.quick-input-widget:not(:has(.quick-input-list .monaco-list-row))',
    );
    await box.locator('input').fill(text);
    await this.press('Enter');
  }

  /** Saves the document and waits until the file on disk contains a text. */
  async saveAndRead(name: string, expected: string): Promise<string> {
    await this.press('Control+S');
    return eventually(() => {
      const text = this.read(name);
      return text.includes(expected) && text;
    }, `${name} with “${expected}”`);
  }

  /** Reads a document as it stands on disk. */
  read(name: string): string {
    return readFileSync(join(this.#folder, name), 'utf8');
  }

  /** Returns the process of our language server, once there is exactly one besides `other`. */
  async serverPid(other?: number): Promise<number> {
    return eventually(() => {
      const [pid, ...more] = descendants(this.#server.pid, join('dist', 'server.js'));
      return more.length === 0 && pid !== other && pid;
    }, 'the language server');
  }

  /** Closes the window as the writer does; the machine behind it stays. */
  async closeWindow(): Promise<void> {
    await this.page.close();
  }

  async dispose(): Promise<void> {
    await this.#browser.close();
    this.#server.dispose();
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** The editor draws spaces as no-break spaces. */
function plain(text: string): string {
  return text.replaceAll('\u00a0', ' ');
}
