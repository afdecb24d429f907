/*
 * Measuring things against each other: in turns within one run, so that whatever else the machine
 * does meets all of them, and each by its best round, which others disturbed least.
 */

/** What one round of an action took at best. */
export interface Cost {
  seconds: number;
  /** Of all threads of this process: what waiting for a processor does not change. */
  processorSeconds: number;
}

/** Runs every action once to warm up and then `rounds` times in turns. */
export async function bestOfTurns<Name extends string>(
  actions: Readonly<Record<Name, () => Promise<unknown>>>,
  rounds: number,
): Promise<Record<Name, Cost>> {
  const entries = Object.entries<() => Promise<unknown>>(actions);
  const best = new Map<string, Cost>();
  for (let round = 0; round <= rounds; round++) {
    for (const [name, action] of entries) {
      const cost = await measure(action);
      const before = best.get(name) ?? cost;
      if (round > 0) best.set(name, least(before, cost));
    }
  }
  // Every action has had a round, so every name has its cost.
  return Object.fromEntries(best) as Record<Name, Cost>;
}

async function measure(action: () => Promise<unknown>): Promise<Cost> {
  const before = process.cpuUsage();
  const start = performance.now();
  await action();
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(before);
  return { seconds, processorSeconds: (user + system) / 1e6 };
}

function least(a: Cost, b: Cost): Cost {
  return {
    seconds: Math.min(a.seconds, b.seconds),
    processorSeconds: Math.min(a.processorSeconds, b.processorSeconds),
  };
}
