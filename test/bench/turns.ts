/*
 * Measuring things against each other: in turns within one run, so that whatever else the machine
 * does meets all of them, and each by its best round, which others disturbed least.
 */

/**
 * Runs every action once to warm up and then `rounds` times in turns.
 *
 * @returns the seconds of the best round of each
 */
export async function bestOfTurns<Name extends string>(
  actions: Readonly<Record<Name, () => Promise<unknown>>>,
  rounds: number,
): Promise<Record<Name, number>> {
  const entries = Object.entries<() => Promise<unknown>>(actions);
  const best = new Map<string, number>();
  for (let round = 0; round <= rounds; round++) {
    for (const [name, action] of entries) {
      const start = performance.now();
      await action();
      const seconds = (performance.now() - start) / 1000;
      if (round > 0) best.set(name, Math.min(seconds, best.get(name) ?? Infinity));
    }
  }
  // Every action has had a round, so every name has its seconds.
  return Object.fromEntries(best) as Record<Name, number>;
}
