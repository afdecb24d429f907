import {
  type CompletionState,
  type DirectionName,
  directionNames,
  type Quiet,
  type Statistics,
  type Steering,
  type SuggestionFacts,
  type SuggestionsReadyParams,
} from '../../protocol/completion.ts';
import { isLanguageEnabled, type Settings } from '../../protocol/settings.ts';
import { unlessAborted } from '../base/abort.ts';
import { type Clock, wait } from '../base/clock.ts';
import { InvalidRequestError, isAbortError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { ConceptService } from '../features/conceptService.ts';
import type { TextEdit } from '../features/documentConcepts.ts';
import type { SuggestionPlace } from '../features/suggestionContext.ts';
import type { PositionKind } from '../text/documentText.ts';
import type { ProseFormat } from '../text/proseBlock.ts';
import type { AskingPolicy } from './askingPolicy.ts';
import type { Budget } from './budget.ts';
import { candidateFacts, factsOf } from './facts.ts';
import { continued, type Offer, type OfferedText, sureEnough } from './offer.ts';
import { type LiveOffer, Outcomes } from './outcomes.ts';
import type { PowerMachine } from './powerSupply.ts';
import { Silence } from './silence.ts';
import { type Prepared, Suggester } from './suggester.ts';
import { type CountsOnDisk, WritingStatistics } from './writingStatistics.ts';

/** A sentence to insert: it takes the place of the text from `start` to the caret. */
export interface Completion {
  start: number;
  text: string;
}

/** Where a completion is asked for. */
export interface CompletionRequest {
  uri: string;
  /** The caret, in UTF-16 units. */
  offset: number;
  /** The writer asks; otherwise the editor does, because something was typed. */
  isExplicit: boolean;
}

export interface WritingParts {
  concepts: ConceptService;
  policy: AskingPolicy;
  budget: Budget;
  clock: Clock;
  logger: Logger;
  machine: PowerMachine;
  /** null where nothing may be stored. */
  statisticsFile: CountsOnDisk | null;
  onState(state: CompletionState): void;
  onReady(params: SuggestionsReadyParams): void;
  /** Told how long a suggestion took to make. */
  onLatency(latencyMs: number): void;
}

/** What is known of an open document beside its text. */
interface OpenDocument {
  languageId: string;
  /** null until the client has told them. */
  settings: Settings | null;
  offer: MadeOffer | null;
  facts: SuggestionFacts | null;
  steering: Steering | null;
  target: string | null;
  /** The language of the text where something was suggested last. */
  lang: string | null;
  quiet: Quiet | null;
  /** Counts edits: work for an older text is not shown. */
  version: number;
}

interface MadeOffer extends LiveOffer {
  place: SuggestionPlace;
}

/**
 * Ghost text, for any editor: when to answer, what is prepared, what became of what was offered.
 * The work for a suggestion begins at the full stop; the pause only decides when it is shown.
 */
export class WritingService {
  readonly #parts: WritingParts;
  readonly #suggester: Suggester;
  readonly #silence: Silence;
  readonly #statistics: WritingStatistics;
  readonly #outcomes: Outcomes;
  readonly #documents = new Map<string, OpenDocument>();
  /** Aborted when the writer goes on: what was begun for the place before is not wanted. */
  #beginning = new AbortController();

  constructor(parts: WritingParts) {
    this.#parts = parts;
    const { machine, policy, clock, logger, statisticsFile } = parts;
    const isStanding = (uri: string, text: string) =>
      this.#documents.has(uri) && parts.concepts.document(uri).text.includes(text);
    this.#statistics = new WritingStatistics({ file: statisticsFile, clock, logger, isStanding });
    this.#outcomes = new Outcomes({ policy, statistics: this.#statistics, clock });
    const onChange = () => this.#noticeSilence();
    this.#silence = new Silence({ machine, clock, logger, onChange });
    this.#suggester = new Suggester(parts.concepts, parts.budget, () => parts.clock.now());
  }

  /** Another model thinks otherwise, at another speed. */
  forgetModel(): void {
    this.#suggester.clear();
    this.#parts.budget.reset();
    for (const document of this.#documents.values()) document.offer = null;
  }

  openDocument(uri: string, languageId: string, format: ProseFormat, text: string): void {
    this.#documents.set(uri, {
      languageId,
      settings: null,
      offer: null,
      facts: null,
      steering: null,
      target: null,
      lang: null,
      quiet: null,
      version: 0,
    });
    this.#parts.concepts.openDocument(uri, format, text);
  }

  closeDocument(uri: string): void {
    this.#documents.delete(uri);
    this.#parts.concepts.closeDocument(uri);
  }

  /** Takes the settings of a document that matter before anything is asked about it. */
  useSettings(uri: string, settings: Settings): void {
    const document = this.#documents.get(uri);
    if (document === undefined) return;
    document.settings = settings;
    document.offer = null;
    this.#parts.concepts.useSettings(uri, settings);
    this.#silence.useSettings(settings);
    this.#quietReason(uri, document, settings);
  }

  /** Applies an edit, learns from it, and begins what it will lead to. */
  changeDocument(uri: string, edit: TextEdit): void {
    const { concepts, policy, clock } = this.#parts;
    concepts.changeDocument(uri, [edit]);
    const document = this.#documents.get(uri);
    if (document === undefined) return;
    document.version += 1;
    const at = clock.now();
    if (edit.end > edit.start) policy.note({ kind: 'deleted', uri, at });
    const { length } = edit.text;
    if (length > 0) policy.note({ kind: 'inserted', uri, at, length });
    const goesOn = this.#goesOn(uri, document, edit);
    if (length > 0 && !goesOn) this.#begin(uri, document, edit.start + length);
  }

  /**
   * Returns what may be inserted at a caret, best first; nothing where no sentence belongs, and
   * where nobody asked, nothing before the writer rests.
   *
   * @throws InvalidRequestError when the document is not open
   */
  async complete(
    { uri, offset, isExplicit }: CompletionRequest,
    settings: Settings,
    signal: AbortSignal,
  ): Promise<Completion[]> {
    const { concepts, policy, clock } = this.#parts;
    const text = concepts.document(uri);
    const document = this.#documents.get(uri);
    if (document === undefined) return [];
    const isQuiet = this.#quietReason(uri, document, settings) !== null;
    // What is switched off is off, also for who asks; only the document itself stands above that.
    if (isQuiet && !isLanguageEnabled(settings, document.languageId)) return [];
    const { offer } = document;
    const isTyped = offer !== null && offset <= offer.reach;
    const kept = isTyped ? continued(offer, text.text, offset) : [];
    if (offer !== null && kept.length > 0) {
      return completionsOf(
        offer,
        sureEnough(kept, isExplicit ? 0 : settings.completion.minConfidence),
      );
    }
    const start = clock.now();
    let until = start;
    if (!isExplicit) {
      if (isQuiet) return [];
      const decision = policy.decide(start, settings.completion.pauseMs, uri);
      if (decision.kind === 'silent') return [];
      until = decision.until;
    }
    const kind = text.positionKind(offset);
    if (!isSentencePlace(kind) && !(isExplicit && kind === 'betweenSentences')) return [];

    const { version } = document;
    const place = placeOf(uri, offset, document);
    const prepared = await this.#suggester.prepare(place, settings, until - start, signal);
    if (prepared === null) return [];
    const restMs = until - clock.now();
    if (restMs > 0) await wait(clock, restMs, signal);
    const { answer } = prepared;
    const candidates = await unlessAborted(answer.isWhole ? answer.whole : answer.first, signal);
    const texts = await this.#suggester.fit(place, prepared.found, settings, candidates, signal);
    if (document.version !== version || texts.length === 0) return [];

    const made: MadeOffer = { place, start: offset, reach: offset, texts, counted: new Set() };
    document.offer = made;
    document.facts = factsOf(prepared, candidates, until);
    document.lang = prepared.found.lang;
    this.#parts.onLatency(document.facts.latencyMs);
    const shown = sureEnough(texts, isExplicit ? 0 : settings.completion.minConfidence);
    if (shown.length > 0) this.#outcomes.noticeShown(uri, document.facts.wasPrepared);
    void this.#goOn(document, made, prepared, settings);
    return completionsOf(made, shown);
  }

  /** Tells which suggestion was made last in a document, and why; null before the first. */
  explain(uri: string): SuggestionFacts | null {
    return this.#documents.get(uri)?.facts ?? null;
  }

  /** Bends what is suggested in a document from now on; null lets it go where it will. */
  steer(uri: string, steering: Steering | null): void {
    const document = this.#need(uri);
    document.steering = steering;
    document.offer = null;
    this.#tellState();
  }

  /** The names of the directions that suggestions can be bent in. */
  get directions(): DirectionName[] {
    const known = Object.keys(this.#parts.concepts.model?.directions ?? {});
    return directionNames.filter((name) => known.includes(name));
  }

  /**
   * Sets the language of what is suggested in a document; null leaves it to document and settings.
   *
   * @returns its code; null where none is set
   * @throws InvalidRequestError when the model has no such language
   */
  setTarget(uri: string, name: string | null): string | null {
    const document = this.#need(uri);
    document.target = name === null ? null : this.#parts.concepts.languageCode(name);
    document.offer = null;
    this.#tellState();
    return document.target;
  }

  /** Goes on to the next language for what is suggested in a document. @returns its code */
  cycleTarget(uri: string): string | null {
    const document = this.#need(uri);
    const { model } = this.#parts.concepts;
    if (model === null || document.settings === null) return document.target;
    const own = document.lang ?? model.defaultLang;
    const current = document.target ?? document.facts?.lang ?? own;
    return this.setTarget(
      uri,
      this.#parts.concepts.nextTarget(document.settings, { current, own }),
    );
  }

  /** Suggests nothing unasked for so many minutes; 0 ends it. */
  snooze(minutes: number): void {
    for (const document of this.#documents.values()) document.offer = null;
    this.#silence.snooze(minutes);
  }

  /** Takes the URIs of the folders that the client has open. */
  useFolders(folders: readonly string[]): void {
    this.#silence.folders = folders;
  }

  /** Counts of what became of suggestions. */
  statistics(): Promise<Statistics> {
    return this.#statistics.read();
  }

  clearStatistics(): Promise<void> {
    return this.#statistics.clear();
  }

  async dispose(): Promise<void> {
    this.#silence.dispose();
    this.#suggester.giveUp();
    await this.#statistics.dispose();
  }

  /** Shows what is better than the first answer, then prepares what follows it. */
  async #goOn(
    document: OpenDocument,
    made: MadeOffer,
    { found, answer }: Prepared,
    settings: Settings,
  ): Promise<void> {
    const { place } = made;
    try {
      if (!answer.isWhole) {
        const candidates = await answer.whole;
        const texts = await this.#suggester.fit(place, found, settings, candidates);
        if (document.offer !== made) return;
        if (document.facts !== null) document.facts.candidates = candidateFacts(candidates);
        made.texts = texts;
        this.#parts.onReady({ uri: place.uri, offset: place.offset });
      }
      this.#tellState();
      const [first] = made.texts;
      if (first !== undefined) await this.#suggester.prepareAfter(place, settings, first.text);
    } catch (error) {
      this.#tellFailure(error);
    }
  }

  /** Begins with what will be wanted if the writer rests here; gives up what will not. */
  #begin(uri: string, document: OpenDocument, offset: number): void {
    this.#beginning.abort();
    this.#beginning = new AbortController();
    const { settings } = document;
    const kind = this.#parts.concepts.document(uri).positionKind(offset);
    const isQuiet = settings === null || this.#quietReason(uri, document, settings) !== null;
    if (isQuiet || !isSentencePlace(kind)) {
      this.#suggester.giveUp();
      return;
    }
    const place = placeOf(uri, offset, document);
    const dueMs = this.#parts.policy.pauseMs;
    this.#suggester
      .prepare(place, settings, dueMs, this.#beginning.signal)
      .catch((error: unknown) => this.#tellFailure(error));
  }

  /** @returns whether the edit goes on with what is offered */
  #goesOn(uri: string, document: OpenDocument, edit: TextEdit): boolean {
    const { offer } = document;
    if (offer === null) return false;
    const outcome = this.#outcomes.notice(
      uri,
      offer,
      this.#parts.concepts.document(uri).text,
      edit,
    );
    if (outcome === 'lost') document.offer = null;
    return outcome === 'typing' || outcome === 'acceptedPartly' || outcome === 'takenBack';
  }

  /** Finds out why suggestions do not come by themselves in a document, and tells what is new. */
  #quietReason(uri: string, document: OpenDocument, settings: Settings): Quiet | null {
    const text = this.#parts.concepts.document(uri);
    const { languageId, quiet } = document;
    document.quiet = this.#silence.reason({ uri, languageId, text }, settings);
    if (document.quiet !== quiet) this.#tellState();
    return document.quiet;
  }

  /** What holds for every document has changed. */
  #noticeSilence(): void {
    for (const [uri, document] of this.#documents) {
      if (document.settings !== null) this.#quietReason(uri, document, document.settings);
    }
    this.#tellState();
  }

  #need(uri: string): OpenDocument {
    const document = this.#documents.get(uri);
    if (document !== undefined) return document;
    throw new InvalidRequestError('document: expected an open one, found one that is closed');
  }

  #tellState(): void {
    this.#parts.onState({
      snoozedUntil: this.#silence.snoozedUntil,
      isOnBattery: this.#silence.isOnBattery,
      reduced: this.#parts.budget.reduced,
      documents: [...this.#documents]
        .filter(([, { steering, target, quiet }]) => (steering ?? target ?? quiet) !== null)
        .map(([uri, { steering, target, quiet }]) => ({ uri, steering, target, quiet })),
    });
  }

  /** Nobody waits for work ahead: what fails here fails again, and is told, when it is asked for. */
  #tellFailure(error: unknown): void {
    if (!isAbortError(error)) this.#parts.logger.warn(`preparing ahead failed: ${String(error)}`);
  }
}

function placeOf(uri: string, offset: number, document: OpenDocument): SuggestionPlace {
  return { uri, offset, target: document.target, steering: document.steering };
}

function isSentencePlace(kind: PositionKind): boolean {
  return kind === 'sentenceEnd' || kind === 'paragraphEnd' || kind === 'paragraphStart';
}

function completionsOf({ start }: Offer, texts: readonly OfferedText[]): Completion[] {
  return texts.map(({ text }) => ({ start, text }));
}
