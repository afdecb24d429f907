import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { openBrowser } from '../harness/browser.ts';
import { type CodeServer, startCodeServer } from '../harness/codeServer.ts';
import { type KeyRule, readDefaultKeys } from '../harness/defaultKeys.ts';

interface OwnRule {
  command: string;
  key: string;
  mac?: string;
  when: string;
}

const { contributes } = JSON.parse(readFileSync('package.json', 'utf8'));
const own: OwnRule[] = contributes.keybindings;

/**
 * Contexts that are false where one writes in a document of ours: something else has the focus, or
 * the editor is one of another kind.
 */
const elsewhere = [
  /^inQuickInput$/,
  /^inChat(Input)?$/,
  /^accessibleViewIn/,
  /^accessibleViewIsShown$/,
  /^agentSessionsViewerFocused$/,
  /^inSearchEditor$/,
  /^notebook/,
  /^terminalFocus/,
  // An answer in the terminal's chat waits to be run.
  /^terminalChatResponseContains/,
];

let folder: string;
let server: CodeServer;
let browser: Browser;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'thoughtline-keys-'));
  server = await startCodeServer({ extension: process.cwd() });
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  server?.dispose();
  rmSync(folder, { recursive: true, force: true });
});

/** `cmd+alt+x` and `alt+cmd+x` are one key. */
function normal(key: string): string {
  return key.split('+').sort().join('+');
}

/** Tells whether a rule can hold where another does. */
function canHold({ when }: KeyRule, where: string): boolean {
  if (when === undefined) return true;
  const excluded = where.split(' && ').filter((part) => part.startsWith('!'));
  return when.split(' || ').some((all) =>
    all.split(' && ').every((part) => {
      const isExcluded = excluded.includes(`!${part}`);
      return part !== 'false' && !isExcluded && !elsewhere.some((place) => place.test(part));
    }),
  );
}

/** Returns what else a key does where one of ours does something. A chord begins with its first key. */
function rivals(rules: KeyRule[], key: string, when: string): string[] {
  return rules
    .filter(({ command }) => !command.startsWith('thoughtline.'))
    .filter((rule) => normal(rule.key.split(' ')[0] ?? '') === normal(key))
    .filter((rule) => canHold(rule, when))
    .map(({ command }) => `${key}: ${command}`);
}

for (const platform of ['Linux', 'Windows', 'Mac'] as const) {
  test(`our keys are free where one writes, on ${platform}`, async () => {
    const rules = await readDefaultKeys(browser, server, folder, platform);
    const keyOf = ({ key, mac }: OwnRule) => (platform === 'Mac' ? (mac ?? key) : key);

    const contributed = rules.filter(({ command }) => command.startsWith('thoughtline.'));
    assert.deepEqual(
      contributed.map(({ command, key }) => `${command} ${normal(key)}`).sort(),
      own.map((rule) => `${rule.command} ${normal(keyOf(rule))}`).sort(),
    );

    // A key that is taken is found to be.
    assert.deepEqual(rivals(rules, 'tab', 'editorTextFocus').includes('tab: tab'), true);
    assert.deepEqual(
      own.flatMap((rule) => rivals(rules, keyOf(rule), rule.when)),
      [],
    );
  });
}
