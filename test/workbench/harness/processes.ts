import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

const groups = new Set<number>();

function killGroups(): void {
  for (const pid of groups) killGroup(pid);
}

process.once('exit', killGroups);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => process.exit(1));
}

/**
 * Starts a process as the head of a new process group, so that all that it starts can be ended.
 * The group never outlives this process, however this one ends short of SIGKILL.
 */
export function spawnGroup(
  command: string,
  args: readonly string[],
  options: SpawnOptions,
): ChildProcess {
  const child = spawn(command, args, { ...options, detached: true });
  if (child.pid !== undefined) groups.add(child.pid);
  return child;
}

/** Ends a process group of `spawnGroup`, whatever is left of it. */
export function killGroup(pid: number): void {
  groups.delete(pid);
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Tells whether a process exists and has not ended. Linux only. */
export function isRunning(pid: number): boolean {
  const state = readProc(pid, 'stat')?.replace(/^.*\) /s, '')[0];
  return state !== undefined && state !== 'Z' && state !== 'X';
}

/** Returns the running descendants of a process whose command line contains some text. Linux only. */
export function descendants(ancestor: number, text: string): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    const parent = readProc(Number(name), 'stat')?.replace(/^.*\) \S /s, '');
    if (parent !== undefined) parents.set(Number(name), Number.parseInt(parent, 10));
  }
  const descends = (pid: number | undefined): boolean =>
    pid !== undefined && (pid === ancestor || descends(parents.get(pid)));
  return [...parents.keys()].filter(
    (pid) =>
      descends(parents.get(pid)) &&
      isRunning(pid) &&
      (readProc(pid, 'cmdline') ?? '').split('\0').join(' ').includes(text),
  );
}

function readProc(pid: number, file: string): string | undefined {
  if (!Number.isInteger(pid)) return undefined;
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return undefined; // The process has ended meanwhile.
  }
}
