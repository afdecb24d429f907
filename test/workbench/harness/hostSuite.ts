import { EventEmitter, once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { format } from 'node:util';
import { gotoWorkbench, openBrowser } from './browser.ts';
import { startCodeServer } from './codeServer.ts';
import { resultsVariable, type SuiteResults } from './results.ts';

// A suite inside the extension host has two launchers: code-server in a browser, and a desktop
// VS Code. Both get the same and answer alike, so that there is one suite and one reading of it.

/** What a launcher is told. All paths are absolute. */
export interface HostSuite {
  /** The folder of the extension's package.json. */
  extension: string;
  /** A CommonJS file that exports `run(): Promise<void>`. */
  suite: string;
  workspace: string;
  environment: Record<string, string>;
}

/** Runs a suite in an extension host and returns the exit code that the host reports. */
export type HostSuiteLauncher = (suite: HostSuite) => Promise<number>;

/** Launches a suite in code-server, shown by a Chromium. */
export const launchInCodeServer: HostSuiteLauncher = async (suite) => {
  const server = await startCodeServer();
  const browser = await openBrowser();
  try {
    const page = await browser.newPage();
    const log: string[] = [];
    await page.exposeFunction('codeAutomationLog', (_type: string, args: unknown[]) => {
      log.push(`${format(...args)}\n`);
    });
    const events = new EventEmitter();
    await page.exposeFunction('codeAutomationExit', (code: number) => events.emit('exit', code));
    page.once('crash', () => events.emit('error', new Error('the page of the workbench crashed')));
    const exited = once(events, 'exit');
    await gotoWorkbench(page, server, suite.workspace, [
      ['extensionDevelopmentPath', server.remote(suite.extension)],
      ['extensionTestsPath', server.remote(suite.suite)],
      ['extensionEnvironment', JSON.stringify(suite.environment)],
    ]);
    const [exitCode] = await exited;
    if (exitCode !== 0) process.stderr.write(log.join(''));
    return exitCode;
  } finally {
    await browser.close();
    server.dispose();
  }
};

/**
 * Runs a suite on a copy of the sample documents.
 *
 * @param bundles  the folder of the bundled tests
 * @throws Error when the host reports success without results, as it does when it was killed
 */
export async function runHostSuite(
  launch: HostSuiteLauncher,
  bundles: string,
): Promise<SuiteResults> {
  const folder = mkdtempSync(join(tmpdir(), 'thoughtline-suite-'));
  const workspace = join(folder, 'workspace');
  const results = join(folder, 'results.json');
  mkdirSync(workspace);
  cpSync('samples', workspace, { recursive: true });
  try {
    const exitCode = await launch({
      extension: process.cwd(),
      suite: join(bundles, 'suite', 'index.js'),
      workspace,
      environment: { [resultsVariable]: results },
    });
    if (!existsSync(results)) {
      throw new Error(`the extension host ended with ${exitCode} and left no results`);
    }
    return JSON.parse(readFileSync(results, 'utf8'));
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
