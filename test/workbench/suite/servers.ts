import type { ChildProcess } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { join } from 'node:path';

/** Sees every process of our language server that the extension host starts from now on. */
export class ServerWatch {
  readonly #seen: ChildProcess[] = [];
  #wake: (() => void) | undefined;

  constructor() {
    subscribe('child_process', this.#notice);
  }

  /** Waits until a server was started after the last one that this returned. */
  async next(): Promise<ChildProcess> {
    for (;;) {
      const server = this.#seen.shift();
      if (server !== undefined) return server;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  dispose(): void {
    unsubscribe('child_process', this.#notice);
  }

  readonly #notice = (message: unknown): void => {
    const { process: child } = message as { process: ChildProcess };
    // The arguments are set in the same turn, but after this message.
    queueMicrotask(() => {
      if (!child.spawnargs.some((word) => word.endsWith(join('dist', 'server.js')))) return;
      this.#seen.push(child);
      this.#wake?.();
    });
  };
}

/** Waits until a process has ended. */
export async function hasEnded(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}
