import { RecentlyUsed } from '../base/recentlyUsed.ts';

/*
 * When a sentence is offered unasked: a state machine that is told what happens and when. It knows
 * neither text nor clock, so a script of events says all of it.
 *
 *   pause = clamp(burst factor × upper quartile of the intervals between keys) × back-off
 */

/**
 * What the policy hears of a document. `at` is in milliseconds of any clock; one that is set back
 * makes nothing last longer than it would.
 */
export type WritingEvent =
  /** One change of the document; `length` in UTF-16 units. A replacement is deleted, then inserted. */
  | { kind: 'inserted'; uri: string; at: number; length: number }
  /** Also undone: an undo mostly shows as this. */
  | { kind: 'deleted'; uri: string; at: number }
  /** What became of a suggestion; told after the insertion that it was. */
  | { kind: 'shown' | Acceptance | 'rejected'; uri: string; at: number };

/** `typed`: by hand, as it was shown. */
type Acceptance = 'accepted' | 'acceptedPartly' | 'typed';

/** What is done about a caret at the end of a sentence; `until` is never before it was decided. */
export type Decision = { kind: 'silent' } | { kind: 'wait'; until: number };

/**
 * 500 ms separates a pause from typing, 1200 ms reaches beyond one proposition
 * (Chukharev-Hudilainen 2014, Journal of Writing Research 6(1)).
 */
const firstPauseMs = 500;
const minPauseMs = 250;
const maxPauseMs = 1500;

/** A typist with a key every 200 ms is given the first pause. */
const burstFactor = 2.5;

/** Intervals that are remembered, and those without which nothing is known. */
const maxIntervals = 64;
const minIntervals = 16;

/** Nobody types faster: several carets, a held key, a program. */
const minIntervalMs = 20;

/** What one key, one commit of an input method or an auto-closed pair inserts; more is pasted. */
const maxTypedLength = 24;

/** As Copilot does for its next edits: ×1.5 for a rejection, ×0.8 for an acceptance, 10 minutes. */
const rejectionFactor = 1.5;
const acceptanceFactor = 0.8;
const backOffMs = 10 * 60_000;
const maxBackedOffPauseMs = 3000;

/** Rejections in a row after which there is silence, and for how long. */
const maxRejections = 10;
const silenceMs = 30_000;

/** Documents that are remembered; a writer goes back and forth between fewer. */
const maxDocuments = 64;

/** What of a document matters until something is inserted. */
type Standing = 'deleted' | 'accepted' | 'written';

/** Decides when to offer a sentence. One for a window: the rhythm is the writer's, not a document's. */
export class AskingPolicy {
  readonly #rhythm = new Rhythm();
  readonly #backOff = new BackOff();
  readonly #documents = new RecentlyUsed<Standing>(maxDocuments);
  #lastKeyAt = Number.NEGATIVE_INFINITY;
  #now = 0;

  /** The pause that is learned, backed off as of what was last heard. */
  get pauseMs(): number {
    return this.#pauseAt(this.#now);
  }

  /** Takes in what happened. */
  note(event: WritingEvent): void {
    const { uri, at } = event;
    this.#now = at;
    switch (event.kind) {
      case 'inserted':
        this.#rhythm.noteKey(uri, at, event.length <= maxTypedLength);
        this.#lastKeyAt = at;
        this.#documents.set(uri, 'written');
        break;
      case 'deleted':
        this.#rhythm.breakBurst();
        this.#lastKeyAt = at;
        this.#documents.set(uri, 'deleted');
        break;
      case 'accepted':
      case 'acceptedPartly':
        this.#backOff.ease(at);
        this.#rhythm.breakBurst();
        this.#documents.set(uri, 'accepted');
        break;
      case 'typed':
        this.#backOff.ease(at);
        break;
      case 'rejected':
        this.#backOff.grow(at, this.#rhythm.pauseMs);
        if (this.#documents.get(uri) === 'accepted') this.#documents.set(uri, 'written');
        break;
      case 'shown':
        break;
    }
  }

  /**
   * Decides about a caret that stands at the end of a sentence.
   *
   * @param pauseMs  the writer's setting, which stands above what is learned
   */
  decide(at: number, pauseMs: number | null, uri: string): Decision {
    const standing = this.#documents.get(uri);
    if (standing === 'deleted' || this.#backOff.isSilentAt(at)) return { kind: 'silent' };
    if (standing === 'accepted') return { kind: 'wait', until: at };
    const pause = pauseMs ?? this.#pauseAt(at);
    const rested = Math.max(0, at - this.#lastKeyAt);
    return { kind: 'wait', until: at + Math.max(0, pause - rested) };
  }

  #pauseAt(at: number): number {
    const { pauseMs } = this.#rhythm;
    return Math.min(pauseMs * this.#backOff.factorAt(at), maxBackedOffPauseMs);
  }
}

/** How fast the writer types: what lies between the keys of a burst. */
class Rhythm {
  readonly #intervals: number[] = [];
  #next = 0;
  #last: { uri: string; at: number } | null = null;
  #pauseMs = firstPauseMs;

  get pauseMs(): number {
    return this.#pauseMs;
  }

  /** @param isTyped  false for what came in one piece: it ends the burst */
  noteKey(uri: string, at: number, isTyped: boolean): void {
    const interval = this.#last?.uri === uri ? at - this.#last.at : Number.POSITIVE_INFINITY;
    this.#last = isTyped ? { uri, at } : null;
    if (!isTyped || interval < minIntervalMs || interval > maxPauseMs) return;
    this.#intervals[this.#next] = interval;
    this.#next = (this.#next + 1) % maxIntervals;
    this.#learn();
  }

  breakBurst(): void {
    this.#last = null;
  }

  /** A quartile, because up to a quarter of the intervals may be pauses to think. */
  #learn(): void {
    if (this.#intervals.length < minIntervals) return;
    const sorted = this.#intervals.toSorted((a, b) => a - b);
    const quartile = sorted[Math.floor(sorted.length * 0.75)] ?? 0;
    this.#pauseMs = Math.min(Math.max(burstFactor * quartile, minPauseMs), maxPauseMs);
  }
}

/** What rejections do to the pause: a factor of at least 1 that is gone after a time, or silence. */
class BackOff {
  #factor = 1;
  #since = 0;
  #rejections = 0;
  #silentSince = Number.NEGATIVE_INFINITY;

  isSilentAt(at: number): boolean {
    return this.#silentSince <= at && at < this.#silentSince + silenceMs;
  }

  factorAt(at: number): number {
    const left = Math.min(Math.max(0, 1 - (at - this.#since) / backOffMs), 1);
    return 1 + (this.#factor - 1) * left;
  }

  /** @param pauseMs  that the factor is for: it grows no further than what it can do */
  grow(at: number, pauseMs: number): void {
    const isForgotten = at - this.#since >= backOffMs;
    this.#rejections = isForgotten ? 1 : this.#rejections + 1;
    this.#set(at, Math.min(this.factorAt(at) * rejectionFactor, maxBackedOffPauseMs / pauseMs));
    if (this.#rejections < maxRejections) return;
    this.#rejections = 0;
    this.#silentSince = at;
  }

  ease(at: number): void {
    this.#rejections = 0;
    this.#silentSince = Number.NEGATIVE_INFINITY;
    this.#set(at, Math.max(1, this.factorAt(at) * acceptanceFactor));
  }

  #set(at: number, factor: number): void {
    this.#factor = factor;
    this.#since = at;
  }
}
