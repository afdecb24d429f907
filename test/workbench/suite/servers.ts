import type { ChildProcess } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { join } from 'node:path';

/** Sees the processes of our language server that the extension host starts. */
export class ServerWatch {
  #resolveNext: ((server: ChildProcess) => void) | undefined;

  constructor() {
    subscribe('child_process', this.#notice);
  }

  /** Waits for the first server that is started after this call. */
  next(): Promise<ChildProcess> {
    return new Promise((resolve) => {
      this.#resolveNext = resolve;
    });
  }

  dispose(): void {
    unsubscribe('child_process', this.#notice);
  }

  readonly #notice = (message: unknown): void => {
    const { process: child } = message as { process: ChildProcess };
    // The arguments are set in the same turn, but after this message.
    queueMicrotask(() => {
      if (!child.spawnargs.some((word) => word.endsWith(join('dist', 'server.js')))) return;
      this.#resolveNext?.(child);
    });
  };
}

/** Waits until a process has ended. */
export async function hasEnded(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}
