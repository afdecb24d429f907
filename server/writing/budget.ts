/*
 * What a machine can afford. A suggestion that comes when the writer has gone on is worth nothing,
 * so a slow machine samples in fewer steps, fewer candidates, narrower beams, and says so.
 */

/** How suggestions are made. */
export interface Effort {
  /** Denoising steps; families without them ignore it. */
  steps: number;
  candidates: number;
  beamSize: number;
}

/** Milliseconds that the writer is kept waiting at most, about, before effort is saved. */
export const slowMs = 900;

/** Below this share of it, effort comes back; between the two nothing changes. */
const restoredShare = 0.35;

/** Times that are remembered, and fewer than which tell nothing. */
const maxDurations = 5;
const minDurations = 3;

/** Runs of the same kind in a row that change the effort: one slow answer is no slow machine. */
const runsInARow = 3;

/** Fewer steps than this make noise. */
const fewestSteps = 4;

/** What is left at each level, as a share of steps and candidates, and the widest beam. */
const levels = [
  { share: 1, candidates: 1, beamSize: Number.POSITIVE_INFINITY },
  { share: 0.6, candidates: 0.67, beamSize: 2 },
  { share: 0.4, candidates: 0.34, beamSize: 1 },
] as const;

/** Steps of a first answer. Its sentences are worse: it is made only where the wait would be felt. */
const draftSteps = fewestSteps;
export const patienceMs = 500;

/** Adapts the effort to the times that were measured. */
export class Budget {
  #level = 0;
  #slow = 0;
  #fast = 0;
  /** Of the last whole answers at this level, in the order in which they came. */
  #durationsMs: number[] = [];
  #affordedLast: Effort | null = null;

  /** What is left while something is being saved; null while all is spent that is wanted. */
  get reduced(): Pick<Effort, 'steps' | 'candidates'> | null {
    if (this.#level === 0 || this.#affordedLast === null) return null;
    const { steps, candidates } = this.#affordedLast;
    return { steps, candidates };
  }

  /** Forgets what was measured, for another model. */
  reset(): void {
    this.#level = 0;
    this.#restart();
  }

  /** Returns what can be afforded of what is wanted. */
  afford({ steps, candidates, beamSize }: Effort): Effort {
    const { share, candidates: few, beamSize: widest } = levels[this.#level] ?? levels[0];
    this.#affordedLast = {
      steps: Math.min(steps, Math.max(fewestSteps, Math.round(steps * share))),
      candidates: Math.max(1, Math.round(candidates * few)),
      beamSize: Math.min(beamSize, widest),
    };
    return this.#affordedLast;
  }

  /**
   * Returns the effort of a first answer, or null where the whole one comes soon enough.
   *
   * @param dueMs  the time left until it is wanted
   */
  draft(effort: Effort, dueMs: number): Effort | null {
    const expectedMs = this.#expectedMs();
    if (expectedMs === null || expectedMs <= Math.max(dueMs, patienceMs)) return null;
    // What was slow once is not for ever: if no whole answer is waited for, this is forgotten.
    this.#durationsMs.shift();
    return { ...effort, steps: Math.min(effort.steps, draftSteps), candidates: 1 };
  }

  /** Notes how long a whole answer took. */
  note(durationMs: number): void {
    this.#durationsMs = [...this.#durationsMs, durationMs].slice(-maxDurations);
    this.#slow = durationMs > slowMs ? this.#slow + 1 : 0;
    this.#fast = durationMs < slowMs * restoredShare ? this.#fast + 1 : 0;
    if (this.#slow >= runsInARow && this.#level < levels.length - 1) this.#move(1);
    else if (this.#fast >= runsInARow && this.#level > 0) this.#move(-1);
  }

  /** The median: the first answer of a model is slow because its graphs are opened for it. */
  #expectedMs(): number | null {
    const sorted = this.#durationsMs.toSorted((a, b) => a - b);
    return sorted.length < minDurations ? null : (sorted[sorted.length >> 1] ?? null);
  }

  #move(by: 1 | -1): void {
    this.#level += by;
    this.#restart();
  }

  #restart(): void {
    this.#slow = 0;
    this.#fast = 0;
    this.#durationsMs = [];
  }
}
