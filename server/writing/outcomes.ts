import type { Clock } from '../base/clock.ts';
import type { TextEdit } from '../features/documentConcepts.ts';
import type { AskingPolicy } from './askingPolicy.ts';
import { type Offer, type Outcome, outcomeOf } from './offer.ts';
import type { WritingStatistics } from './writingStatistics.ts';

/** An offer while the writer may still make something of it. */
export interface LiveOffer extends Offer {
  /** The end of what the writer has typed or accepted of it. */
  reach: number;
  /** Outcomes that were counted: each counts once. */
  counted: Set<Outcome>;
}

export interface OutcomesParts {
  policy: AskingPolicy;
  statistics: WritingStatistics;
  clock: Clock;
}

/** Tells policy and statistics what becomes of what was offered. */
export class Outcomes {
  readonly #parts: OutcomesParts;

  constructor(parts: OutcomesParts) {
    this.#parts = parts;
  }

  /** @param wasPrepared  whether it was ready before the writer had rested */
  noticeShown(uri: string, wasPrepared: boolean): void {
    const { policy, statistics, clock } = this.#parts;
    policy.note({ kind: 'shown', uri, at: clock.now() });
    statistics.note('shown');
    if (wasPrepared) statistics.note('ready');
  }

  /** Finds out what an edit means for an offer. @param text  the document after the edit */
  notice(uri: string, offer: LiveOffer, text: string, edit: TextEdit): Outcome {
    const outcome = outcomeOf(offer, text, edit);
    switch (outcome) {
      case 'lost':
      case 'untouched':
        break;
      case 'takenBack':
        offer.reach = Math.max(offer.start, Math.min(offer.reach, edit.start));
        break;
      case 'typing':
        offer.reach = edit.start + edit.text.length;
        break;
      default:
        offer.reach = edit.start + edit.text.length;
        this.#count(uri, offer, outcome, text);
    }
    return outcome;
  }

  #count(
    uri: string,
    offer: LiveOffer,
    outcome: 'accepted' | 'acceptedPartly' | 'typed' | 'rejected',
    text: string,
  ): void {
    if (offer.counted.has(outcome)) return;
    offer.counted.add(outcome);
    const { policy, statistics, clock } = this.#parts;
    policy.note({ kind: outcome, uri, at: clock.now() });
    if (outcome === 'accepted') {
      statistics.noteAccepted(uri, text.slice(offer.start, offer.reach).trim());
    } else {
      statistics.note(outcome);
    }
  }
}
