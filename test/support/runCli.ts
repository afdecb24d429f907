import { spawnSync } from 'node:child_process';

/** What a run of the command line left. */
export interface CliResult {
  status: number | null;
  /** Standard output, parsed line by line. */
  results: readonly Record<string, unknown>[];
  stdout: string;
  stderr: string;
}

/** Runs the built command line to its end. */
export function runCli(
  args: readonly string[],
  input: string | Uint8Array = '',
  environment: Readonly<Record<string, string>> = {},
): CliResult {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['dist/cli.js', ...args], {
    input,
    encoding: 'utf8',
    env: { ...process.env, ...environment },
    maxBuffer: 2 ** 28,
  });
  const lines = stdout.split('\n').filter((line) => line.startsWith('{'));
  return { status, stdout, stderr, results: lines.map((line) => JSON.parse(line)) };
}
