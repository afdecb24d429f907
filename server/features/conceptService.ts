import type {
  DescribeLanguageParams,
  DescribeLanguageResult,
  FindNeighboursResult,
  NextSentencesResult,
  TranslateParams,
  TranslateResult,
} from '../../protocol/server.ts';
import type { Settings } from '../../protocol/settings.ts';
import { InvalidRequestError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { inSlices } from '../base/slices.ts';
import type { Inference, LoadedModel } from '../inference/inference.ts';
import { DocumentText } from '../text/documentText.ts';
import type { ProseFormat } from '../text/proseBlock.ts';
import { DocumentConcepts, type TextEdit } from './documentConcepts.ts';
import { LanguageChooser } from './languageChoice.ts';
import { namedLanguages } from './namedLanguages.ts';
import { nearestConcepts } from './neighbours.ts';
import { OpenDocumentsGround } from './ownSentences.ts';
import type { Candidate } from './ranking.ts';
import {
  type Concept,
  type EncodeSentences,
  inLanguages,
  SentenceConcepts,
} from './sentenceConcepts.ts';
import {
  type SuggestionContext,
  SuggestionContexts,
  type SuggestionPlace,
} from './suggestionContext.ts';
import { suggestSentences } from './suggestions.ts';
import { joinSentences, translateSentences, translationBeamSize } from './translation.ts';

/** Sentences as a feature beside this one needs them. */
export interface ReadSentences {
  model: LoadedModel;
  /** In the order of the sentences. */
  concepts: Concept[];
  /** Codes of their languages. */
  langs: string[];
  encode: EncodeSentences;
}

/**
 * What the writer can ask for, one method per request, whoever asks. While there is no model the
 * answers are empty: a model that is still loading is not an error.
 */
export class ConceptService {
  readonly #inference: Inference;
  readonly #concepts: SentenceConcepts;
  readonly #documents: DocumentConcepts;
  readonly #languages: LanguageChooser;
  readonly #contexts: SuggestionContexts;
  #model: LoadedModel | null = null;

  constructor(inference: Inference, logger: Logger) {
    this.#inference = inference;
    this.#concepts = new SentenceConcepts(inference);
    this.#languages = new LanguageChooser(logger);
    this.#documents = new DocumentConcepts(this.#concepts, this.#languages, logger);
    this.#contexts = new SuggestionContexts({
      inference,
      concepts: this.#concepts,
      languages: this.#languages,
      ground: new OpenDocumentsGround(this.#documents),
    });
  }

  /** Takes the model that the inference has loaded, or null while there is none. */
  useModel(model: LoadedModel | null): void {
    this.#model = model;
    this.#contexts.reset();
    if (model !== null) {
      this.#concepts.reset();
      this.#languages.useModel(model);
    }
    this.#documents.setReady(model !== null);
  }

  /** Takes the settings of a document that matter before anything is asked about it. */
  useSettings(uri: string, { language }: Settings): void {
    this.#documents.setSource(uri, language.source);
  }

  openDocument(uri: string, format: ProseFormat, text: string): void {
    this.#documents.open(uri, format, text);
  }

  changeDocument(uri: string, edits: readonly TextEdit[]): void {
    this.#documents.change(uri, edits);
  }

  closeDocument(uri: string): void {
    this.#documents.close(uri);
  }

  /** The loaded model; null while there is none. */
  get model(): LoadedModel | null {
    return this.#model;
  }

  /** @throws InvalidRequestError when the document is not open */
  document(uri: string): DocumentText {
    return this.#documents.text(uri);
  }

  /**
   * Answers `thoughtline/nextSentences`.
   *
   * @throws InvalidRequestError when the document is not open
   */
  async nextSentences(
    uri: string,
    offset: number,
    count: number,
    settings: Settings,
    signal?: AbortSignal,
  ): Promise<NextSentencesResult> {
    const start = performance.now();
    const candidates = await this.#candidates(uri, offset, count, settings, signal);
    return {
      candidates: candidates.map(toWire),
      latencyMs: performance.now() - start,
    };
  }

  /**
   * Answers `thoughtline/findNeighbours`, within the document.
   *
   * @throws InvalidRequestError when the document is not open
   */
  async findNeighbours(
    uri: string,
    offset: number,
    count: number,
    settings: Settings,
    signal?: AbortSignal,
  ): Promise<FindNeighboursResult> {
    const document = this.#documents.text(uri);
    await inSlices(document.reading(), signal);
    const { sentences } = document;
    const self = sentences.findLastIndex(({ start, end }) => start <= offset && offset <= end);
    const sentence = sentences[self];
    if (sentence === undefined || this.#model === null) return { sentence: null, neighbours: [] };
    const choices = await this.#choose(document, sentences, settings, signal);
    const concepts = await this.#concepts.concepts(inLanguages(sentences, choices), signal);
    const query = concepts[self];
    const nearest =
      query === undefined ? [] : nearestConcepts(query.embedding, concepts, count, self);
    return {
      sentence: { text: sentence.text, start: sentence.start, end: sentence.end },
      neighbours: nearest.flatMap(({ index, text, score }) => {
        const found = sentences[index];
        return found === undefined ? [] : [{ text, score, start: found.start, end: found.end }];
      }),
    };
  }

  /**
   * Answers `thoughtline/describeLanguage`.
   *
   * @throws InvalidRequestError when the document is not open
   */
  async describeLanguage(
    place: DescribeLanguageParams['place'],
    settings: Settings,
  ): Promise<DescribeLanguageResult> {
    const languages = await namedLanguages(this.#model?.langs ?? []);
    if (place === undefined || this.#model === null) {
      return { languages, source: null, target: null };
    }
    const document = this.#documents.text(place.uri);
    const here = document.sentenceAt(place.offset) ?? { paragraph: '' };
    const [source = null] = await this.#choose(document, [here], settings);
    const target = this.#languages.chooseTarget({
      chosen: null,
      document,
      setting: settings.language.target,
      same: source?.code,
    });
    return { languages, source, target };
  }

  /**
   * Answers `thoughtline/translate`.
   *
   * @throws InvalidRequestError when the document is not open, a language is none of the model's, or
   *   a sentence is longer than the encoder reads
   */
  async translate(
    { uri, text, from = 'auto', to }: TranslateParams,
    settings: Settings,
    signal?: AbortSignal,
  ): Promise<TranslateResult> {
    if (this.#model === null) return { translation: '', sentences: [], to: '' };
    const target = this.languageCode(to);
    const open = uri === undefined ? undefined : this.#documents.text(uri);
    const part = new DocumentText(text, open?.format ?? 'plaintext');
    await inSlices(part.reading(), signal);
    const { sentences } = part;
    const source = from === 'auto' ? null : this.languageCode(from);
    const choices =
      source === null
        ? await this.#choose(open ?? part, sentences, settings, signal)
        : sentences.map(() => ({ code: source, reason: 'setting' as const }));
    const decoded = await translateSentences(
      this.#inference,
      inLanguages(sentences, choices),
      { to: target, beamSize: translationBeamSize, hasEntropies: this.#model.hasEntropies },
      signal,
    );
    return {
      translation: joinSentences(
        decoded.map((sentence) => sentence.text),
        sentences.map(({ block }) => block),
        target,
      ),
      sentences: decoded.map((sentence, i) => ({
        text: sentences[i]?.text ?? '',
        from: choices[i] ?? { code: target, reason: 'default' },
        translation: sentence.text,
        score: sentence.score,
        lost: sentence.lost,
        invented: sentence.invented,
      })),
      to: target,
    };
  }

  /** Returns the concepts of sentences of a document, and their languages; null without a model. */
  async readSentences<T extends { text: string; paragraph: string }>(
    document: DocumentText,
    sentences: readonly T[],
    settings: Settings,
    signal?: AbortSignal,
  ): Promise<ReadSentences | null> {
    const model = this.#model;
    if (model === null) return null;
    const choices = await this.#choose(document, sentences, settings, signal);
    const concepts = await this.#concepts.concepts(inLanguages(sentences, choices), signal);
    return { model, concepts, langs: choices.map(({ code }) => code), encode: this.#encode };
  }

  /** Returns the languages of sentences, once what identifies them is there. */
  #choose(
    document: DocumentText,
    sentences: readonly { paragraph: string }[],
    { language }: Settings,
    signal?: AbortSignal,
  ) {
    return this.#languages.choosing(document, sentences, language.source, signal);
  }

  /**
   * Returns the code of a language of the model by its code, tag or name.
   *
   * @throws InvalidRequestError when the model has none such
   */
  languageCode(name: string): string {
    const code = this.#languages.find(name);
    if (code !== undefined) return code;
    const known = this.#model?.langs.slice(0, 10).join(', ');
    throw new InvalidRequestError(`language: expected one of the model's, such as ${known}`);
  }

  async #candidates(
    uri: string,
    offset: number,
    count: number,
    settings: Settings,
    signal?: AbortSignal,
  ): Promise<Candidate[]> {
    const found = await this.suggestionContext({ uri, offset }, settings, signal);
    if (found === null) return [];
    const { parts, context, sampling, steering, writing } = found;
    const options = { ...writing, steering, sampling: { ...sampling, count } };
    return suggestSentences(parts, context, options, signal);
  }

  /** Returns the language after the current one; see `LanguageChooser.nextTarget`. */
  nextTarget(settings: Settings, now: { current: string; own: string }): string {
    return this.#languages.nextTarget(settings.language.cycle, now);
  }

  /**
   * Returns what suggestions at a place are made from; null while there is no model.
   *
   * @throws InvalidRequestError when the document is not open
   */
  async suggestionContext(
    place: SuggestionPlace,
    settings: Settings,
    signal?: AbortSignal,
  ): Promise<SuggestionContext | null> {
    const document = this.#documents.text(place.uri);
    const model = this.#model;
    return model === null ? null : this.#contexts.at(place, { document, model }, settings, signal);
  }

  readonly #encode: EncodeSentences = (sentences, signal) =>
    this.#concepts.concepts(sentences, signal);
}

/** Embeddings do not cross to a client. */
function toWire(candidate: Candidate): NextSentencesResult['candidates'][number] {
  const { text, agreement } = candidate;
  if (candidate.origin === 'own') return { origin: 'own', text, agreement, confidence: null };
  const { score, confidence } = candidate;
  return { origin: 'model', text, agreement, score, confidence };
}
