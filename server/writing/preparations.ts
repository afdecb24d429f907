import { RecentlyUsed } from '../base/recentlyUsed.ts';
import { type Candidate, differentIdeas } from '../features/ranking.ts';
import type { SuggestionContext } from '../features/suggestionContext.ts';
import {
  predictSuggestions,
  type SuggestionWriting,
  writeSuggestions,
} from '../features/suggestions.ts';
import type { Budget, Effort } from './budget.ts';

/*
 * Suggestions that are on their way or ready. What is predicted depends on the sentences before and
 * on nothing else, so it is kept by them: a space typed, a suggestion accepted or taken back, another
 * language ask for what is there already.
 */

/** Contexts that are remembered: taking back and doing again goes through some of them. */
const maxContexts = 64;

/** Writings of one context that are remembered: languages, mostly. */
const maxWritings = 8;

/** Suggestions for one place, in one language. */
export interface Answer {
  /** What can be shown first: the whole, unless that takes its time. */
  readonly first: Promise<readonly Candidate[]>;
  /** All of them; those of `first` come first. */
  readonly whole: Promise<readonly Candidate[]>;
  /** When it was begun. */
  readonly startedAt: number;
  /** When the first was there; null before. */
  readonly firstAt: number | null;
  readonly isWhole: boolean;
  /** What was spent on it. */
  readonly effort: Effort;
}

/** What a preparation is made with besides its context. */
export interface PreparationOptions {
  /** Time until it is wanted, ms. */
  dueMs: number;
}

/** Prepares suggestions, each once, for whoever asks; gives up what nobody will want. */
export class Preparations {
  readonly #budget: Budget;
  readonly #now: () => number;
  readonly #known = new RecentlyUsed<Preparation>(maxContexts);
  readonly #underway = new Set<Preparation>();

  constructor(budget: Budget, now: () => number) {
    this.#budget = budget;
    this.#now = now;
  }

  /** Returns the suggestions for a context: those that are known, or under way, or begun now. */
  prepare(found: SuggestionContext, { dueMs }: PreparationOptions): Answer {
    const key = keyOf(found);
    let preparation = this.#known.get(key);
    if (preparation === undefined || preparation.isGivenUp) {
      preparation = new Preparation(found, this.#budget, this.#now);
      this.#known.set(key, preparation);
    }
    const answer = preparation.write(found.writing, dueMs);
    if (!answer.isWhole) this.#watch(preparation, answer);
    return answer;
  }

  /** Gives up what is under way, but for the context that is wanted now. */
  giveUp(wanted?: SuggestionContext): void {
    const key = wanted && keyOf(wanted);
    const kept = key === undefined ? undefined : this.#known.get(key);
    for (const preparation of [...this.#underway]) {
      if (preparation !== kept) preparation.giveUp();
    }
  }

  /** Forgets everything: another model thinks otherwise. */
  clear(): void {
    this.giveUp();
    this.#known.clear();
  }

  #watch(preparation: Preparation, answer: Answer): void {
    this.#underway.add(preparation);
    const leave = () => this.#underway.delete(preparation);
    answer.whole.then(leave, leave);
  }
}

/** The ideas for one context: predicted once, written as often as they are wanted in another way. */
class Preparation {
  readonly #found: SuggestionContext;
  readonly #budget: Budget;
  readonly #now: () => number;
  readonly #givenUp = new AbortController();
  readonly #predictions = new Map<string, Promise<Float32Array[]>>();
  readonly #written = new RecentlyUsed<Writing>(maxWritings);

  constructor(found: SuggestionContext, budget: Budget, now: () => number) {
    this.#found = found;
    this.#budget = budget;
    this.#now = now;
  }

  get isGivenUp(): boolean {
    return this.#givenUp.signal.aborted;
  }

  giveUp(): void {
    this.#givenUp.abort();
  }

  write(writing: SuggestionWriting, dueMs: number): Answer {
    const surroundings = writing.surroundings.replace(/\s+/g, ' ').trim();
    const key = JSON.stringify([writing.lang, writing.maxSeqLen, writing.beamSize, surroundings]);
    const known = this.#written.get(key);
    if (known !== undefined) return known;
    const { sampling } = this.#found;
    const effort = this.#budget.afford({
      steps: sampling.inferenceTimesteps,
      candidates: writing.count,
      beamSize: writing.beamSize,
    });
    const answer = new Writing(effort, this.#budget.draft(effort, dueMs), {
      run: (spent) => this.#run(writing, spent),
      merge: (first, rest) =>
        differentIdeas([...first, ...rest], [], this.#found.parts.space).slice(0, writing.count),
      now: this.#now,
      onWhole: (durationMs) => this.#budget.note(durationMs),
    });
    this.#written.set(key, answer);
    answer.whole.catch(() => this.#written.delete(key));
    return answer;
  }

  async #run(writing: SuggestionWriting, effort: Effort): Promise<Candidate[]> {
    const { parts, context } = this.#found;
    const { signal } = this.#givenUp;
    const predictions = await this.#predict(effort);
    const { candidates: count, beamSize } = effort;
    const options = { ...writing, count, beamSize };
    return writeSuggestions(parts, { context, predictions }, options, signal);
  }

  #predict({ steps, candidates }: Effort): Promise<Float32Array[]> {
    const key = `${steps} ${candidates}`;
    const known = this.#predictions.get(key);
    if (known !== undefined) return known;
    const { parts, context } = this.#found;
    const options = {
      sampling: { ...this.#found.sampling, inferenceTimesteps: steps, count: candidates },
      steering: this.#found.steering,
    };
    const predicted = predictSuggestions(parts, context, options, this.#givenUp.signal);
    this.#predictions.set(key, predicted);
    predicted.catch(() => this.#predictions.delete(key));
    return predicted;
  }
}

interface WritingParts {
  run(effort: Effort): Promise<Candidate[]>;
  merge(first: readonly Candidate[], rest: readonly Candidate[]): Candidate[];
  now(): number;
  onWhole(durationMs: number): void;
}

class Writing implements Answer {
  readonly first: Promise<readonly Candidate[]>;
  readonly whole: Promise<readonly Candidate[]>;
  readonly effort: Effort;
  readonly startedAt: number;
  firstAt: number | null = null;
  isWhole = false;

  constructor(effort: Effort, draft: Effort | null, parts: WritingParts) {
    this.effort = effort;
    this.startedAt = parts.now();
    const drafted = draft === null ? Promise.resolve([]) : parts.run(draft);
    this.whole = drafted.then(async (first) => {
      if (first.length > 0) this.firstAt = parts.now();
      const start = parts.now();
      const rest = await parts.run(effort);
      parts.onWhole(parts.now() - start);
      this.firstAt ??= parts.now();
      this.isWhole = true;
      return first.length === 0 ? rest : parts.merge(first, rest);
    });
    this.first = drafted.then((first) => (first.length > 0 ? first : this.whole));
    // Whoever waits is told; what is prepared for nobody yet fails again when it is asked for.
    this.whole.catch(() => undefined);
    this.first.catch(() => undefined);
  }
}

/** What is predicted depends on this alone. */
function keyOf({ sentences, sampling, steering }: SuggestionContext): string {
  const read = sentences.map(({ lang, text }) => [lang, text]);
  return JSON.stringify([sampling, steering?.key, read]);
}
