import type { FindNeighboursResult, NextSentencesResult } from '../../protocol/server.ts';
import type { Settings } from '../../protocol/settings.ts';
import type { Logger } from '../base/logger.ts';
import type { Inference, LoadedModel } from '../inference/inference.ts';
import type { DocumentText } from '../text/documentText.ts';
import type { ProseFormat } from '../text/proseBlock.ts';
import { DocumentConcepts, type TextEdit } from './documentConcepts.ts';
import { nearestConcepts } from './neighbours.ts';
import {
  type Candidate,
  chooseConceptModel,
  contextConcepts,
  fitToCaret,
  nextSentences,
  samplingOptions,
  worthShowing,
} from './nextSentences.ts';
import { SentenceConcepts } from './sentenceConcepts.ts';

/** Time for which a long document may keep the thread busy at once. */
const sliceMs = 10;

/**
 * What the writer can ask for, one method per request, whoever asks. While there is no model the
 * answers are empty: a model that is still loading is not an error.
 */
export class ConceptService {
  readonly #inference: Inference;
  readonly #concepts: SentenceConcepts;
  readonly #documents: DocumentConcepts;
  #model: LoadedModel | null = null;

  constructor(inference: Inference, logger: Logger) {
    this.#inference = inference;
    this.#concepts = new SentenceConcepts(inference);
    this.#documents = new DocumentConcepts(this.#concepts, logger);
  }

  /** Takes the model that the inference has loaded, or null while there is none. */
  useModel(model: LoadedModel | null): void {
    this.#model = model;
    if (model !== null) this.#concepts.reset(model.defaultLang);
    this.#documents.setReady(model !== null);
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
    const lineStart = document.text.lastIndexOf('\n', offset - 1) + 1;
    const line = document.text.slice(lineStart, offset);
    const count = settings.completion.candidates;
    const candidates = await this.#candidates(uri, offset, count, settings, signal);
    return candidates.map(({ text }) => fitToCaret(line, text));
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
      candidates: candidates.map(({ text, score }) => ({ text, score })),
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
    signal?: AbortSignal,
  ): Promise<FindNeighboursResult> {
    const document = this.#documents.text(uri);
    await readInSlices(document, signal);
    const { sentences } = document;
    const self = sentences.findLastIndex(({ start, end }) => start <= offset && offset <= end);
    const sentence = sentences[self];
    if (sentence === undefined || this.#model === null) return { sentence: null, neighbours: [] };
    const texts = sentences.map(({ text }) => text);
    const concepts = await this.#concepts.concepts(texts, signal);
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

  async #candidates(
    uri: string,
    offset: number,
    count: number,
    settings: Settings,
    signal?: AbortSignal,
  ): Promise<Candidate[]> {
    const before = this.#documents.text(uri).sentencesBefore(offset, contextConcepts);
    const model = this.#model;
    if (model === null) return [];
    const texts = before.map(({ text }) => text);
    const context = await this.#concepts.concepts(texts, signal);
    const { completion } = settings;
    const lcm = chooseConceptModel(model.conceptModels, completion.conceptModel);
    const candidates = await nextSentences(
      this.#inference,
      context,
      {
        sampling: { ...samplingOptions(completion), lcm, count },
        lang: model.defaultLang,
        beamSize: completion.beamSize,
        maxSeqLen: completion.maxSentenceTokens,
      },
      signal,
    );
    return worthShowing(candidates, context);
  }
}

/** Reads a whole document without keeping the thread from anything else for long. */
async function readInSlices(document: DocumentText, signal?: AbortSignal): Promise<void> {
  let start = performance.now();
  for (const _ of document.reading()) {
    if (performance.now() - start < sliceMs) continue;
    await new Promise(setImmediate);
    signal?.throwIfAborted();
    start = performance.now();
  }
}
