import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Tells `tellPeak.ts` where to write. */
export const peakFileVariable = 'THOUGHTLINE_PEAK_FILE';

/** What a process cost. */
export interface ProcessCost {
  seconds: number;
  /** Of the resident set, all threads together. */
  peakBytes: number;
}

/** Runs the built command line in a process of its own and measures it. */
export function measureCli(args: readonly string[]): ProcessCost {
  const peakFile = join(tmpdir(), `thoughtline-peak-${process.pid}`);
  const preload = join(__dirname, 'tellPeak.js');
  const start = performance.now();
  const { status } = spawnSync(
    process.execPath,
    ['--require', preload, join('dist', 'cli.js'), ...args],
    {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, [peakFileVariable]: peakFile },
    },
  );
  const seconds = (performance.now() - start) / 1000;
  if (status !== 0) throw new Error(`${args[0]}: expected status 0, found ${status}`);
  const peakBytes = 1024 * Number(readFileSync(peakFile, 'utf8')); // maxRSS is in kibibytes
  rmSync(peakFile);
  return { seconds, peakBytes };
}
