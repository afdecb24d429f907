import type { Settings } from '../../protocol/settings.ts';
import type { ConceptService } from '../features/conceptService.ts';
import { fitSentences, placeAt } from '../features/fitting.ts';
import type { Candidate } from '../features/ranking.ts';
import type { SuggestionContext, SuggestionPlace } from '../features/suggestionContext.ts';
import { DocumentText } from '../text/documentText.ts';
import type { Budget } from './budget.ts';
import type { OfferedText } from './offer.ts';
import { type Answer, Preparations } from './preparations.ts';

/** Suggestions that were made for a place, or are being made. */
export interface Prepared {
  found: SuggestionContext;
  answer: Answer;
}

/** Place → prepared suggestions → texts that fit there, and what will follow them. */
export class Suggester {
  readonly #concepts: ConceptService;
  readonly #preparations: Preparations;

  constructor(concepts: ConceptService, budget: Budget, now: () => number) {
    this.#concepts = concepts;
    this.#preparations = new Preparations(budget, now);
  }

  /**
   * Begins with the suggestions for a place, or joins what was begun; null while there is no model.
   * What is under way for other places is given up.
   *
   * @param dueMs  time until they are wanted
   */
  async prepare(
    place: SuggestionPlace,
    settings: Settings,
    dueMs: number,
    signal?: AbortSignal,
  ): Promise<Prepared | null> {
    const found = await this.#concepts.suggestionContext(place, settings, signal);
    signal?.throwIfAborted();
    if (found === null) return null;
    this.#preparations.giveUp(found);
    return { found, answer: this.#preparations.prepare(found, { dueMs }) };
  }

  /** Fits suggestions to their place, each with as many sentences as the writer wants. */
  async fit(
    place: SuggestionPlace,
    { sentences: read, writing }: SuggestionContext,
    settings: Settings,
    candidates: readonly Candidate[],
    signal?: AbortSignal,
  ): Promise<OfferedText[]> {
    const { text, format } = this.#concepts.document(place.uri);
    const here = placeAt(text, place.offset, format, read.at(-1)?.lang);
    const isJoined = /\S/.test(text.charAt(place.offset));
    const fitted: OfferedText[] = [];
    for (const candidate of candidates) {
      const sentences = await this.#writeOn(place, settings, candidate.text, signal);
      const fit = fitSentences(here, sentences, writing.lang);
      const { confidence } = candidate;
      fitted.push({ text: isJoined ? `${fit} ` : fit, confidence });
    }
    return fitted;
  }

  /** Prepares what will be suggested once a text stands at a place. */
  async prepareAfter(place: SuggestionPlace, settings: Settings, text: string): Promise<void> {
    const { format } = this.#concepts.document(place.uri);
    const imagined = new DocumentText(text, format).sentences.map((sentence) => sentence.text);
    const after = { ...place, imagined };
    const found = await this.#concepts.suggestionContext(after, settings);
    if (found === null) return;
    await this.#preparations.prepare(found, { dueMs: Number.POSITIVE_INFINITY }).whole;
  }

  /** Gives up what is under way. */
  giveUp(): void {
    this.#preparations.giveUp();
  }

  /** Forgets everything: another model thinks otherwise. */
  clear(): void {
    this.#preparations.clear();
  }

  /** Follows a sentence by the best of those that may come after it, until there are enough. */
  async #writeOn(
    place: SuggestionPlace,
    settings: Settings,
    first: string,
    signal: AbortSignal | undefined,
  ): Promise<string[]> {
    const sentences = [first];
    while (sentences.length < settings.completion.sentences) {
      const after = { ...place, imagined: [...sentences] };
      const found = await this.#concepts.suggestionContext(after, settings, signal);
      if (found === null) break;
      const answer = this.#preparations.prepare(found, { dueMs: Number.POSITIVE_INFINITY });
      const [next] = await answer.whole;
      signal?.throwIfAborted();
      if (next === undefined) break;
      sentences.push(next.text);
    }
    return sentences;
  }
}
