import { setTimeout as delay } from 'node:timers/promises';

/**
 * Waits until a question has an answer. For what sends no event: files, processes, a page.
 *
 * @param ask   returns undefined or false as long as there is none
 * @param what  what is awaited, for the message
 * @throws Error naming `what` when the deadline has passed
 */
export async function eventually<T>(
  ask: () => T | undefined | false | Promise<T | undefined | false>,
  what: string,
  deadlineMs = 30_000,
): Promise<T> {
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() > deadline) throw new Error(`${what}: not within ${deadlineMs} ms`);
    await delay(50);
  }
}
