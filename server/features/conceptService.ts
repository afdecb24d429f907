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
import type { Generation, Inference, LoadedModel } from '../inference/inference.ts';
import { DocumentText } from '../text/documentText.ts';
import { autonymOf, languageOf } from '../text/languageNames.ts';
import type { ProseFormat } from '../text/proseBlock.ts';
import { conceptSpace } from './conceptSpace.ts';
import { contextConcepts } from './contextWindow.ts';
import { DocumentConcepts, type TextEdit } from './documentConcepts.ts';
import { fitSentence, placeAt } from './fitting.ts';
import { LanguageChooser } from './languageChoice.ts';
import { nearestConcepts } from './neighbours.ts';
import { OpenDocumentsGround, type OwnGround } from './ownSentences.ts';
import type { Candidate } from './ranking.ts';
import { chooseConceptModel, samplingOptions, wishesOf } from './sampling.ts';
import {
  type EncodeSentences,
  inLanguages,
  SentenceConcepts,
  type SourceSentence,
} from './sentenceConcepts.ts';
import { type SuggestionParts, suggestSentences } from './suggestions.ts';
import { joinSentences, translateSentences, translationBeamSize } from './translation.ts';

/** The language of the sentences that begin and end texts in training. */
const trainingLang = 'eng_Latn';

/**
 * UTF-16 units on either side of a suggestion whose numbers and names it may say, and whose
 * sentences it may not: a few milliseconds.
 */
const aroundUnits = 32_768;

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

  /**
   * Writes what may follow at a caret, ready to insert; nothing where no sentence belongs.
   *
   * @param offset  the caret, in UTF-16 units
   * @throws InvalidRequestError when the document is not open
   */
  async completeAt(
    uri: string,
    offset: number,
    settings: Settings,
    signal?: AbortSignal,
  ): Promise<string[]> {
    const document = this.#documents.text(uri);
    const kind = document.positionKind(offset);
    if (kind === 'midSentence' || kind === 'notProse') return [];
    const count = settings.completion.candidates;
    const candidates = await this.#candidates(uri, offset, count, settings, signal);
    const place = placeAt(document.text, offset, document.format);
    return candidates.map(({ text }) => fitSentence(place, text));
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
    const target = this.#languages.chooseTarget(settings.language.target, source?.code);
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
    const target = this.#needLanguage(to);
    const open = uri === undefined ? undefined : this.#documents.text(uri);
    const part = new DocumentText(text, open?.format ?? 'plaintext');
    await inSlices(part.reading(), signal);
    const { sentences } = part;
    const source = from === 'auto' ? null : this.#needLanguage(from);
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

  #needLanguage(name: string): string {
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
    const document = this.#documents.text(uri);
    const before = document.sentencesBefore(offset, contextConcepts);
    const model = this.#model;
    if (model === null) return [];
    const choices = await this.#choose(document, before, settings, signal);
    const { completion, language } = settings;
    const lcm = chooseConceptModel(model.conceptModels, completion.conceptModel);
    const generation = model.generations[lcm];
    const context = await this.#concepts.concepts(
      [...beginOfText(before, generation), ...inLanguages(before, choices)],
      signal,
    );
    const space = conceptSpace(model, lcm);
    const findOwn: SuggestionParts['findOwn'] = (most, cancelled) =>
      this.#ground.followers({ uri, offset, context, space, count: most }, cancelled);
    const parts = {
      inference: this.#inference,
      encode: this.#encode,
      space,
      hasEntropies: model.hasEntropies,
      ...(completion.ownSentences && { findOwn }),
    };
    return suggestSentences(
      parts,
      context,
      {
        sampling: samplingOptions(model, lcm, { ...wishesOf(completion), count }),
        steering: null,
        lang: this.#languages.chooseTarget(language.target, choices.at(-1)?.code),
        beamSize: completion.beamSize,
        maxSeqLen: completion.maxSentenceTokens,
        eos: generation === undefined ? null : { text: generation.eosText, lang: trainingLang },
        surroundings: around(document.text, offset),
      },
      signal,
    );
  }

  readonly #encode: EncodeSentences = (sentences, signal) =>
    this.#concepts.concepts(sentences, signal);
}

/** Embeddings do not cross to a client. */
function toWire(candidate: Candidate): NextSentencesResult['candidates'][number] {
  const { text, agreement } = candidate;
  if (candidate.origin === 'own') return { origin: 'own', text, agreement };
  return { origin: 'model', text, agreement, score: candidate.score };
}

function around(text: string, offset: number): string {
  return text.slice(Math.max(0, offset - aroundUnits), offset + aroundUnits);
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
