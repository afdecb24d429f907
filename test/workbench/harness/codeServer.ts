import type { ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { killGroup, spawnGroup } from './processes.ts';

/** A running code-server with a profile of its own. */
export interface CodeServer {
  pid: number;
  /** http://127.0.0.1:port */
  origin: string;
  /** The user data folder: settings and logs. */
  dataFolder: string;
  /** Returns the address of a file or folder of this machine, as the workbench in the browser names it. */
  remote(path: string): string;
  dispose(): void;
}

export interface CodeServerOptions {
  /** The folder of an extension to install; a suite brings its own instead. */
  extension?: string;
  /** The user's settings, besides those of a quiet workbench. */
  settings?: Readonly<Record<string, unknown>>;
}

/** The settings of a quiet workbench: nothing may cover the editor or complete a text besides us. */
const quietSettings = {
  'chat.disableAIFeatures': true,
  'editor.minimap.enabled': false,
  'editor.wordWrap': 'on',
  'files.hotExit': 'off',
  'telemetry.telemetryLevel': 'off',
  // What the model believes of a test's sentences is not what these tests are about.
  'thoughtline.completion.minConfidence': 0,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
};

/**
 * Starts code-server on a free port and returns when it listens.
 *
 * @throws Error with its output when it ends instead
 */
export async function startCodeServer(options: CodeServerOptions = {}): Promise<CodeServer> {
  const entry = requiredVariable('THOUGHTLINE_CODE_SERVER');
  const node = requiredVariable('THOUGHTLINE_CODE_SERVER_NODE');
  const folder = mkdtempSync(join(tmpdir(), 'thoughtline-workbench-'));
  const dataFolder = join(folder, 'data');
  mkdirSync(join(dataFolder, 'User'), { recursive: true });
  const userSettings = JSON.stringify({ ...quietSettings, ...options.settings });
  writeFileSync(join(dataFolder, 'User', 'settings.json'), userSettings);
  const extensions = join(folder, 'extensions');
  mkdirSync(extensions);
  if (options.extension !== undefined) {
    const { publisher, name, version } = readPackage(options.extension);
    symlinkSync(options.extension, join(extensions, `${publisher}.${name}-${version}`));
  }

  const child = spawnGroup(
    node,
    [
      entry,
      ...['--config', join(folder, 'config.yaml'), '--auth', 'none'],
      ...['--bind-addr', '127.0.0.1:0', '--user-data-dir', dataFolder],
      ...['--extensions-dir', extensions, '--disable-workspace-trust'],
      ...['--disable-telemetry', '--disable-update-check', '--disable-getting-started-override'],
      // Without the driver a built workbench silently ignores the suite it is given.
      ...['--vscode-option', 'enable-smoke-test-driver'],
    ],
    { env: { ...process.env, EXTENSIONS_GALLERY: '{}' }, stdio: ['ignore', 'pipe', 'ignore'] },
  );
  const pid = child.pid;
  if (pid === undefined) throw new Error(`${node} could not be started`);
  const dispose = (): void => {
    killGroup(pid);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };

  try {
    const origin = await listeningOrigin(child);
    const remote = (path: string): string => `vscode-remote://${new URL(origin).host}${path}`;
    return { pid, origin, dataFolder, remote, dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}

/** Reads the address off the output, every line of it, so that the pipe never fills. */
function listeningOrigin(child: ChildProcess): Promise<string> {
  const output: string[] = [];
  return new Promise((resolve, reject) => {
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      output.push(chunk);
      const origin = /HTTP server listening on (http:\/\/[\d.]+:\d+)/.exec(output.join(''))?.[1];
      if (origin !== undefined) resolve(origin);
    });
    child.once('close', () => {
      reject(new Error(`code-server ended before it listened:\n${output.join('')}`));
    });
  });
}

function readPackage(folder: string): { publisher: string; name: string; version: string } {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}

function requiredVariable(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: run the tests by npm test`);
  return value;
}
