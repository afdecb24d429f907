import type { Random } from '../../tensor/random.ts';

/** How one unit is chosen of a codebook. */
export interface UnitSampling {
  /** Logits are divided by it. */
  temperature: number;
  /** Only the best units may be chosen; 1 takes the best. */
  topK: number;
}

/**
 * Chooses a unit at random.
 *
 *   p(i) ∝ exp(l_i / temperature) for the topK largest l_i
 *
 * It takes one number of the generator, whatever the options are.
 *
 * @param logits  l, of at least one unit
 */
export function sampleUnit(
  logits: Float32Array,
  { temperature, topK }: UnitSampling,
  random: Random,
): number {
  const best = largest(logits, topK);
  const highest = logits[best[0] as number] as number;
  const weights = best.map((unit) => Math.exp(((logits[unit] as number) - highest) / temperature));
  let left = random.uniform() * weights.reduce((sum, weight) => sum + weight, 0);
  const chosen = best.find((_, i) => {
    left -= weights[i] as number;
    return left < 0;
  });
  return chosen ?? (best[0] as number);
}

/** Returns the indices of the `count` largest values, largest first; of equals the first. */
function largest(values: Float32Array, count: number): number[] {
  const best: number[] = [];
  for (const [i, value] of values.entries()) {
    if (best.length === count && value <= (values[best.at(-1) as number] as number)) continue;
    const place = best.findIndex((other) => value > (values[other] as number));
    best.splice(place === -1 ? best.length : place, 0, i);
    if (best.length > count) best.pop();
  }
  return best;
}
