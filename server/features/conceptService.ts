import type { Steering } from '../../protocol/completion.ts';
import type {
  DescribeLanguageParams,
  DescribeLanguageResult,
  FindNeighboursResult,
  NamedLanguage,
  NextSentencesResult,
  TranslateParams,
  TranslateResult,
} from '../../protocol/server.ts';
import type { Settings } from '../../protocol/settings.ts';
import { InvalidRequestError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { inSlices } from '../base/slices.ts';
import type {
  Generation,
  Inference,
  LoadedModel,
  SamplingOptions,
} from '../inference/inference.ts';
import { DocumentText } from '../text/documentText.ts';
import { autonymOf, languageOf } from '../text/languageNames.ts';
import type { ProseFormat } from '../text/proseBlock.ts';
import { type ConceptSpace, conceptSpace, rawSpace, remembering } from './conceptSpace.ts';
import { contextConcepts } from './contextWindow.ts';
import { DocumentConcepts, type TextEdit } from './documentConcepts.ts';
import { LanguageChooser } from './languageChoice.ts';
import { nearestConcepts } from './neighbours.ts';
import { OpenDocumentsGround, type OwnGround } from './ownSentences.ts';
import type { Candidate } from './ranking.ts';
import { chooseConceptModel, samplingOptions, wishesOf } from './sampling.ts';
import {
  type Concept,
  type EncodeSentences,
  inLanguages,
  SentenceConcepts,
  type SourceSentence,
} from './sentenceConcepts.ts';
import { type ResolvedSteering, resolveSteering } from './steering.ts';
import { type SuggestionParts, type SuggestionWriting, suggestSentences } from './suggestions.ts';
import { takenAround } from './taken.ts';
import { joinSentences, translateSentences, translationBeamSize } from './translation.ts';

/** The language of the sentences that begin and end texts in training. */
const trainingLang = 'eng_Latn';

/**
 * UTF-16 units on either side of a suggestion whose numbers and names it may say, and whose
 * sentences it may not: a few milliseconds.
 */
const aroundUnits = 32_768;

/** Where suggestions are wanted. */
export interface SuggestionPlace {
  uri: string;
  /** The caret, in UTF-16 units. */
  offset: number;
  /** Sentences that are taken to stand there already: what follows a suggestion is prepared so. */
  imagined?: readonly string[];
  /** The language that they are wanted in; null leaves it to the settings. */
  target?: string | null;
  steering?: Steering | null;
}

/** What suggestions are made from: predict with the first half, write with the second. */
export interface SuggestionContext {
  model: LoadedModel;
  parts: SuggestionParts;
  /** The sentences that are read, and their concepts. */
  sentences: readonly SourceSentence[];
  context: readonly Concept[];
  sampling: SamplingOptions;
  steering: ResolvedSteering | null;
  /** The code of the language of the text there. */
  lang: string;
  writing: SuggestionWriting;
}

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
  readonly #ground: OwnGround;
  /** By the names of the concept models: every sentence is placed once. */
  readonly #spaces = new Map<string, ConceptSpace>();
  #model: LoadedModel | null = null;

  constructor(inference: Inference, logger: Logger) {
    this.#inference = inference;
    this.#concepts = new SentenceConcepts(inference);
    this.#languages = new LanguageChooser(logger);
    this.#documents = new DocumentConcepts(this.#concepts, this.#languages, logger);
    this.#ground = new OpenDocumentsGround(this.#documents);
  }

  /** Takes the model that the inference has loaded, or null while there is none. */
  useModel(model: LoadedModel | null): void {
    this.#model = model;
    this.#spaces.clear();
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
  async #choose(
    document: DocumentText,
    sentences: readonly { paragraph: string }[],
    { language }: Settings,
    signal?: AbortSignal,
  ) {
    if (this.#languages.loading !== null) await this.#languages.loading;
    await inSlices(this.#languages.identifying(document, sentences, language.source), signal);
    return this.#languages.choose(document, sentences, language.source);
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
    { uri, offset, imagined = [], target = null, steering = null }: SuggestionPlace,
    settings: Settings,
    signal?: AbortSignal,
  ): Promise<SuggestionContext | null> {
    const document = this.#documents.text(uri);
    const model = this.#model;
    if (model === null) return null;
    const before = document.sentencesBefore(offset, contextConcepts);
    const surroundings = around(document.text, offset, imagined);
    const choices = await this.#choose(document, before, settings, signal);
    const { completion, language } = settings;
    const lcm = chooseConceptModel(model.conceptModels, completion.conceptModel);
    const generation = model.generations[lcm];
    const here = choices.at(-1)?.code;
    const said = [
      ...inLanguages(before, choices),
      ...imagined.map((text) => ({ text, lang: here ?? model.defaultLang })),
    ].slice(-contextConcepts);
    const sentences = [...beginOfText(said, generation), ...said];
    const context = await this.#concepts.concepts(sentences, signal);
    const space = this.#space(model, lcm);
    const raw = rawSpace(model, lcm);
    const lang = here ?? model.defaultLang;
    const { directions } = model;
    const steeringParts = { encode: this.#encode, space, raw, lang, directions };
    const bent = await resolveSteering(steering, steeringParts, signal);
    const findOwn: SuggestionParts['findOwn'] = (most, cancelled) =>
      this.#ground.followers({ uri, offset, context, space, count: most }, cancelled);
    return {
      model,
      lang,
      parts: {
        inference: this.#inference,
        encode: this.#encode,
        space,
        hasEntropies: model.hasEntropies,
        confidence: model.confidences[lcm] ?? null,
        ...(completion.ownSentences && { findOwn }),
      },
      sentences,
      context,
      sampling: samplingOptions(model, lcm, {
        ...wishesOf(completion),
        count: completion.candidates,
      }),
      steering: bent,
      writing: {
        count: completion.candidates,
        lang: this.#languages.chooseTarget({
          chosen: target,
          document,
          setting: language.target,
          same: here,
        }),
        beamSize: completion.beamSize,
        maxSeqLen: completion.maxSentenceTokens,
        eos: generation === undefined ? null : { text: generation.eosText, lang: trainingLang },
        surroundings,
        findTaken: (cancelled) =>
          takenAround(
            { document, offset, source: language.source },
            { concepts: this.#concepts, languages: this.#languages },
            cancelled,
          ),
      },
    };
  }

  #space(model: LoadedModel, lcm: string): ConceptSpace {
    const space = this.#spaces.get(lcm) ?? remembering(conceptSpace(model, lcm));
    this.#spaces.set(lcm, space);
    return space;
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

function around(text: string, offset: number, imagined: readonly string[]): string {
  const before = text.slice(Math.max(0, offset - aroundUnits), offset);
  return [before, ...imagined, text.slice(offset, offset + aroundUnits)].join(
    imagined.length === 0 ? '' : ' ',
  );
}

/** The sentence that every text begins with in the training of a model, before the first one. */
function beginOfText(
  before: readonly unknown[],
  generation: Generation | undefined,
): SourceSentence[] {
  const text = generation?.beginText ?? null;
  const isWholeText = before.length > 0 && before.length < contextConcepts;
  return text !== null && isWholeText ? [{ text, lang: trainingLang }] : [];
}

/** Languages that are named between two other tasks: each name takes up to a millisecond. */
const namesPerSlice = 8;

/** Names languages without keeping the thread from anything else for long. */
async function namedLanguages(codes: readonly string[]): Promise<NamedLanguage[]> {
  const named: NamedLanguage[] = [];
  for (const code of codes) {
    const language = languageOf(code);
    const autonym = autonymOf(language);
    named.push({ code, name: language.englishName, ...(autonym !== undefined && { autonym }) });
    if (named.length % namesPerSlice === 0) await new Promise(setImmediate);
  }
  return named;
}
