/*
 * Two ways to order work that arrives faster than it is done: `TaskQueue` does everything, one at a
 * time; `LatestOnly` keeps the newest request and gives up the one before.
 */

/** What someone waits for goes before what is prepared for later. */
export type Priority = 'urgent' | 'background';

interface Waiting {
  start(): void;
}

/**
 * Runs tasks one at a time: urgent ones first, otherwise in the order in which they came. Long
 * work joins the queue piece by piece, so that an urgent task waits for one piece at most.
 */
export class TaskQueue {
  readonly #waiting: Record<Priority, Waiting[]> = { urgent: [], background: [] };
  #isRunning = false;

  /**
   * Returns what `task` returns, once its turn has come.
   *
   * @throws the signal's reason when it is aborted before the turn
   */
  run<T>(priority: Priority, task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const queue = this.#waiting[priority];
      const leave = () => {
        queue.splice(queue.indexOf(waiting), 1);
        reject(signal?.reason);
      };
      const waiting: Waiting = {
        start: () => {
          signal?.removeEventListener('abort', leave);
          task()
            .then(resolve, reject)
            .finally(() => {
              this.#isRunning = false;
              this.#startNext();
            });
        },
      };
      signal?.addEventListener('abort', leave, { once: true });
      queue.push(waiting);
      this.#startNext();
    });
  }

  #startNext(): void {
    if (this.#isRunning) return;
    const next = this.#waiting.urgent.shift() ?? this.#waiting.background.shift();
    if (next === undefined) return;
    this.#isRunning = true;
    next.start();
  }
}

/** Runs the newest task only: a task that comes aborts the one before. */
export class LatestOnly {
  #current = new AbortController();

  /**
   * Returns what `task` returns; it must reject when its signal is aborted.
   *
   * @param signal  aborts this task as well
   */
  run<T>(task: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T> {
    this.#current.abort();
    const mine = new AbortController();
    this.#current = mine;
    if (signal?.aborted) return Promise.reject(signal.reason);
    const abort = () => mine.abort(signal?.reason);
    signal?.addEventListener('abort', abort, { once: true });
    return task(mine.signal).finally(() => signal?.removeEventListener('abort', abort));
  }
}
