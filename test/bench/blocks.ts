import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ServerProcess } from '../support/serverProcess.ts';
import { figure } from './figures.ts';

/** A time in which the server's main thread came to nothing else. */
export interface Block {
  /** Milliseconds since 1970. */
  at: number;
  wallMs: number;
  /** What the thread itself computed meanwhile. */
  processorMs: number;
}

/** The environment variable with the path of the file that a watched server leaves. */
export const blocksVariable = 'THOUGHTLINE_BLOCKS';

/** Runs a bench with a server whose main thread is watched, and prints its longest blocks. */
export async function withWatchedServer(
  name: string,
  settings: unknown,
  run: (server: ServerProcess) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'thoughtline-blocks-'));
  const path = join(folder, 'blocks.json');
  process.env[blocksVariable] = path;
  try {
    const script = join(__dirname, 'watchedServer.js');
    const server = await ServerProcess.start(settings, 'ready', script);
    const began = Date.now();
    await run(server);
    await server.stop();
    const all: Block[] = JSON.parse(readFileSync(path, 'utf8'));
    const blocks = all.filter(({ at }) => at >= began);
    const longest = (of: (block: Block) => number) => Math.max(0, ...blocks.map(of));
    figure(
      `${name}: longest block of the main thread`,
      longest((b) => b.wallMs),
      'ms',
    );
    figure(
      `${name}: longest block, time on the processor`,
      longest((b) => b.processorMs),
      'ms',
    );
  } finally {
    delete process.env[blocksVariable];
    rmSync(folder, { recursive: true, force: true });
  }
}
