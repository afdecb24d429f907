import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { type Clock, wait } from '../base/clock.ts';

/** How often the holder shows that it lives, and how often others look. */
export const beatMs = 5000;

/** Looks without a sign of life after which a holder is taken for dead. */
const maxSilentLooks = 6;

export interface LockOptions {
  clock: Clock;
  /** Told once when another holds the lock. */
  onWait?: (() => void) | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Runs `body` while no other process of this machine, nor this one, runs another under the same
 * lock. The lock is a file with the holder's process id; a holder that died is noticed.
 */
export async function withFileLock<T>(
  path: string,
  { clock, onWait, signal }: LockOptions,
  body: () => Promise<T>,
): Promise<T> {
  const mine = JSON.stringify({ host: hostname(), pid: process.pid, id: randomUUID() });
  await mkdir(dirname(path), { recursive: true });
  await takeLock(path, mine, { clock, onWait, signal });
  let cancelBeat = () => {};
  const beat = () => {
    const now = new Date(clock.now());
    void utimes(path, now, now).catch(() => cancelBeat()); // taken away: see `takeLock`
    cancelBeat = clock.after(beatMs, beat);
  };
  cancelBeat = clock.after(beatMs, beat);
  try {
    return await body();
  } finally {
    cancelBeat();
    if ((await contentOf(path)) === mine) await rm(path, { force: true });
  }
}

async function takeLock(path: string, mine: string, { clock, onWait, signal }: LockOptions) {
  let seen = '';
  let silentLooks = 0;
  for (let looks = 0; !(await create(path, mine)); looks += 1) {
    const holder = await contentOf(path);
    const sign = `${holder} ${await beatOf(path)}`;
    silentLooks = sign === seen ? silentLooks + 1 : 0;
    seen = sign;
    if (isDead(holder) || silentLooks >= maxSilentLooks) {
      await breakLock(path, holder);
      continue;
    }
    if (looks === 0) onWait?.();
    await wait(clock, beatMs, signal);
  }
}

async function create(path: string, content: string): Promise<boolean> {
  try {
    await writeFile(path, content, { flag: 'wx' });
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

/** Removes the lock of one holder. If another has come meanwhile, its lock is put back. */
async function breakLock(path: string, holder: string): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  const isMoved = await rename(path, aside).then(() => true, isMissing);
  if (!isMoved) return;
  const content = await contentOf(aside);
  if (content !== holder) await create(path, content);
  await rm(aside, { force: true });
}

/** A lock whose content is not there yet belongs to someone who is just writing it. */
function isDead(holder: string): boolean {
  const { host, pid } = parsed(holder);
  if (host !== hostname() || typeof pid !== 'number') return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ESRCH';
  }
}

function parsed(holder: string): { host?: unknown; pid?: unknown } {
  try {
    return Object(JSON.parse(holder));
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}

/** Returns what a lock says; nothing when it is gone. */
async function contentOf(path: string): Promise<string> {
  return (await readFile(path, 'utf8').catch(isMissing)) || '';
}

/** Returns when the holder last showed that it lives. */
async function beatOf(path: string): Promise<number> {
  const status = await stat(path).catch(isMissing);
  return status === false ? 0 : status.mtimeMs;
}

/** @returns false for a file that is not there @throws every other error */
function isMissing(error: NodeJS.ErrnoException): false {
  if (error.code !== 'ENOENT') throw error;
  return false;
}
