import type { DirectionName, Pull, Steering } from '../protocol/completion.ts';

/** How far suggestions are bent when nothing else was picked. */
export const mediumStrength = 0.5;

export const strengths = { weak: 0.25, medium: mediumStrength, strong: 1 } as const;

export type StrengthName = keyof typeof strengths;

/** The server follows no more at once; the oldest give way. */
const maxPulls = 8;

/** Directions that exclude each other: a sentence is not both shorter and longer. */
const exclusive: readonly (readonly DirectionName[])[] = [
  ['shorter', 'longer'],
  ['continue', 'example', 'conclude'],
];

/**
 * Adds a pull to what suggestions are bent by, or takes it away if it is there.
 *
 * @returns null when nothing is left
 */
export function togglePull(steering: Steering | null, pull: Pull): Steering | null {
  const { pulls, strength } = steering ?? { pulls: [], strength: mediumStrength };
  const isThere = pulls.some((other) => isSame(other, pull));
  const others = pulls.filter((other) => !isSame(other, pull) && !excludes(pull, other));
  const left = isThere ? others : [...others, pull].slice(-maxPulls);
  return left.length === 0 ? null : { pulls: left, strength };
}

/** Finds the name that a strength has, or is nearest to. */
export function strengthName(strength: number): StrengthName {
  if (strength < (strengths.weak + strengths.medium) / 2) return 'weak';
  return strength < (strengths.medium + strengths.strong) / 2 ? 'medium' : 'strong';
}

function isSame(a: Pull, b: Pull): boolean {
  if (a.kind === 'direction' || b.kind === 'direction') {
    return a.kind === 'direction' && b.kind === 'direction' && a.name === b.name;
  }
  return a.kind === b.kind && a.text === b.text;
}

/** The same text pulls one way or the other. */
function excludes(pull: Pull, other: Pull): boolean {
  if (pull.kind === 'direction' || other.kind === 'direction') {
    if (pull.kind !== 'direction' || other.kind !== 'direction') return false;
    return exclusive.some((group) => group.includes(pull.name) && group.includes(other.name));
  }
  return pull.text === other.text;
}
