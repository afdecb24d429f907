import type { RewriteKind } from '../../../protocol/completion.ts';
import type { Settings } from '../../../protocol/settings.ts';
import type { Inference } from '../../inference/inference.ts';
import type { DocumentText } from '../../text/documentText.ts';
import type { ProsePiece, Sentence } from '../../text/proseBlock.ts';
import type { ConceptService, ReadSentences } from '../conceptService.ts';
import { conceptSpace, rawSpace } from '../conceptSpace.ts';
import { contextConcepts } from '../contextWindow.ts';
import type { WritingOptions } from '../nextSentences.ts';
import { chooseConceptModel, samplingOptions, wishesOf } from '../sampling.ts';
import { bridgeGap } from './bridge.ts';
import { condenseParagraph } from './condense.ts';
import { expandHeading } from './expand.ts';
import type { HeadingPlace } from './headings.ts';
import { findPlace, type GapPlace, possibleRewrites, type SentencesPlace } from './places.ts';
import { combineAlternatives, type RephrasedSentence, rephraseSentence } from './rephrase.ts';
import type { Alternative, PlacedSentence, RewritingParts } from './wordings.ts';

/** What may stand in place of a part of a document, or in it. */
export interface Rewrite extends ProsePiece {
  /** The text of the range as it stands. */
  original: string;
  /** Best first; none where nothing can be made of it. */
  alternatives: Alternative[];
}

/** UTF-16 units on either side whose numbers and names may be said again. */
const aroundUnits = 32_768;

/** Everything that a rewriting runs with. */
interface Work {
  document: DocumentText;
  /** The document as it stood when it was asked for. */
  text: string;
  settings: Settings;
  signal: AbortSignal | undefined;
}

/** The façade of rewriting: places in open documents → what may stand there instead. */
export class RewriteService {
  readonly #inference: Inference;
  readonly #service: ConceptService;

  constructor(inference: Inference, service: ConceptService) {
    this.#inference = inference;
    this.#service = service;
  }

  /**
   * Returns what can be made at a place, by the text alone; asks no model.
   *
   * @throws InvalidRequestError when the document is not open
   */
  possibleRewrites(uri: string, span: ProsePiece): RewriteKind[] {
    return possibleRewrites(this.#service.document(uri), span);
  }

  /**
   * Makes something of a part of a document. Where there is nothing to offer, or no model, there are
   * no alternatives.
   *
   * @throws InvalidRequestError when the document is not open
   */
  async rewrite(
    kind: RewriteKind,
    uri: string,
    span: ProsePiece,
    settings: Settings,
    signal?: AbortSignal,
  ): Promise<Rewrite> {
    const document = this.#service.document(uri);
    const place = findPlace(document, kind, span);
    if (place === null) {
      const original = document.text.slice(span.start, span.end);
      return { ...span, original, alternatives: [] };
    }
    const { start, end } = place;
    const { text } = document;
    const original = text.slice(start, end);
    const work = { document, text, settings, signal };
    const alternatives = await this.#alternatives(place, work);
    return { start, end, original, alternatives };
  }

  #alternatives(
    place: SentencesPlace | GapPlace | HeadingPlace,
    work: Work,
  ): Promise<Alternative[]> {
    switch (place.kind) {
      case 'rephrase':
        return this.#rephrase(place, work);
      case 'condense':
        return this.#condense(place, work);
      case 'bridge':
        return this.#bridge(place, work);
      case 'expand':
        return this.#expand(place, work);
    }
  }

  async #rephrase({ sentences }: SentencesPlace, work: Work): Promise<Alternative[]> {
    const read = await this.#read(sentences, work);
    if (read === null) return [];
    const { text } = work;
    const reworded: RephrasedSentence[] = [];
    for (const [i, sentence] of sentences.entries()) {
      const source = text.slice(sentence.start, sentence.end);
      const next = sentences[i + 1];
      const placed = read.placed[i];
      // Markup of its own would be lost.
      const isPlain = placed !== undefined && isUnmarked(source, sentence.text);
      const options = { ...read.writing(i), source };
      reworded.push({
        text: source,
        alternatives: isPlain
          ? await rephraseSentence(read.parts, placed, options, work.signal)
          : [],
        gap: next === undefined ? '' : text.slice(sentence.end, next.start),
      });
    }
    return combineAlternatives(reworded);
  }

  async #condense({ sentences }: SentencesPlace, work: Work): Promise<Alternative[]> {
    const read = await this.#read(sentences, work);
    if (read === null) return [];
    return condenseParagraph(read.parts, read.placed, read.writing(0), work.signal);
  }

  async #bridge({ start, before, after, gap }: GapPlace, work: Work): Promise<Alternative[]> {
    const context = work.document.sentencesBefore(start, contextConcepts);
    const read = await this.#read([...context, before, after], work);
    const [from, to] = read?.placed.slice(-2) ?? [];
    if (read === null || from === undefined || to === undefined) return [];
    const concepts = read.concepts.slice(0, context.length);
    const options = { ...read.writing(context.length), ...this.#predicting(read, start, work) };
    const place = { before: from, after: to, context: concepts };
    const bridges = await bridgeGap(read.parts, place, options, work.signal);
    return bridges.map(({ text, agreement }) => ({ text: gap + text, agreement }));
  }

  async #expand(
    { heading, lineStart, start, prefix, suffix }: HeadingPlace,
    work: Work,
  ): Promise<Alternative[]> {
    const context = work.document.sentencesBefore(lineStart, contextConcepts);
    // Too short to tell its language: it has that of most of the document.
    const read = await this.#read([...context, { text: heading, paragraph: '' }], work);
    const placed = read?.placed.at(-1);
    if (read === null || placed === undefined) return [];
    const concepts = read.concepts.slice(0, -1);
    const options = { ...read.writing(context.length), ...this.#predicting(read, start, work) };
    const passages = await expandHeading(read.parts, placed, concepts, options, work.signal);
    return passages.map(({ text, agreement }) => ({ text: prefix + text + suffix, agreement }));
  }

  /** Encodes sentences, and places them in the space of the chosen concept model. */
  async #read(
    sentences: readonly Pick<Sentence, 'text' | 'paragraph'>[],
    { document, settings, signal }: Work,
  ): Promise<ReadPlace | null> {
    const read = await this.#service.readSentences(document, sentences, settings, signal);
    if (read === null) return null;
    const { model, concepts, langs, encode } = read;
    const { beamSize, maxSentenceTokens, conceptModel } = settings.completion;
    const lcm = chooseConceptModel(model.conceptModels, conceptModel);
    const space = conceptSpace(model, lcm);
    const parts = {
      ...{ inference: this.#inference, encode, space },
      ...{ toEmbedding: rawSpace(model, lcm), hasEntropies: model.hasEntropies },
    };
    const placed = concepts.map((one) => ({ ...one, concept: space(one.embedding) }));
    const writing = (i: number) => ({
      lang: langs[i] ?? model.defaultLang,
      beamSize,
      maxSeqLen: maxSentenceTokens,
    });
    return { ...read, lcm, parts, placed, writing };
  }

  #predicting({ model, lcm }: ReadPlace, offset: number, { text, settings }: Work) {
    const surroundings = text.slice(Math.max(0, offset - aroundUnits), offset + aroundUnits);
    return { sampling: samplingOptions(model, lcm, wishesOf(settings.completion)), surroundings };
  }
}

interface ReadPlace extends ReadSentences {
  lcm: string;
  parts: RewritingParts;
  placed: PlacedSentence[];
  /** How the i-th of the sentences, and what stands for it, is written. */
  writing(i: number): WritingOptions;
}

/** Whether a sentence stands in its document as it is read, but for emphasis and line breaks. */
function isUnmarked(source: string, prose: string): boolean {
  const plain = (text: string) => text.replace(/[*_]+/g, '').replace(/\s+/g, ' ').trim();
  return plain(source) === plain(prose);
}
