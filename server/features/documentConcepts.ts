import { InvalidRequestError, isAbortError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { inSlices } from '../base/slices.ts';
import { DocumentText } from '../text/documentText.ts';
import type { ProseFormat, Sentence } from '../text/proseBlock.ts';
import type { LanguageChooser } from './languageChoice.ts';
import { type Concept, inLanguages, type SentenceConcepts } from './sentenceConcepts.ts';

/** A change of a document: `[start, end)` in UTF-16 units became `text`. */
export interface TextEdit {
  start: number;
  end: number;
  text: string;
}

/**
 * Sentences that are encoded when a document is opened, the last ones first wanted: a writer goes
 * on where the text ends. The others are encoded when they are asked for.
 */
const sentencesOnOpen = 64;

/** Sentences that are encoded at once: others wait so long for one of them at most. */
const sentencesAtOnce = 64;

/** Sentences of one document, and of all, that are looked at when the writer's own are wanted. */
const sentencesOfDocument = 2048;
const sentencesOfAll = 8192;

/** An open document as far as it is encoded, or the end of a long one. */
export interface EncodedDocument {
  uri: string;
  sentences: readonly Sentence[];
  /** One for each sentence; null where it is not encoded or not finished. */
  concepts: readonly (Concept | null)[];
}

interface OpenDocument {
  text: DocumentText;
  /** The setting of its language: `auto`, or a language. */
  source: string;
  /** Finished sentences that wait to be encoded, by their text. */
  waiting: Map<string, Sentence>;
  closed: AbortController;
  isEncoding: boolean;
}

/**
 * The open documents, split into sentences and kept current edit by edit. Every sentence is
 * encoded when it is finished, so that the context is ready before the writer pauses.
 */
export class DocumentConcepts {
  readonly #documents = new Map<string, OpenDocument>();
  readonly #concepts: SentenceConcepts;
  readonly #languages: LanguageChooser;
  readonly #logger: Logger;
  #isReady = false;

  constructor(concepts: SentenceConcepts, languages: LanguageChooser, logger: Logger) {
    this.#concepts = concepts;
    this.#languages = languages;
    this.#logger = logger;
  }

  /** Encodes what waits, now that there is a model. */
  setReady(isReady: boolean): void {
    this.#isReady = isReady;
    if (!isReady) return;
    for (const document of this.#documents.values()) {
      this.#want(document, lastSentences(document.text));
    }
  }

  open(uri: string, format: ProseFormat, text: string): void {
    this.close(uri);
    const document: OpenDocument = {
      text: new DocumentText(text, format),
      source: 'auto',
      waiting: new Map(),
      closed: new AbortController(),
      isEncoding: false,
    };
    this.#documents.set(uri, document);
    this.#want(document, lastSentences(document.text));
  }

  /** Takes the setting of a document's language. */
  setSource(uri: string, source: string): void {
    const document = this.#documents.get(uri);
    if (document === undefined || document.source === source) return;
    document.source = source;
    this.#want(document, lastSentences(document.text));
  }

  /** Applies edits in order, each to the text that the one before left. */
  change(uri: string, edits: readonly TextEdit[]): void {
    const document = this.#document(uri);
    for (const { start, end, text } of edits) {
      this.#want(document, document.text.applyEdit(start, end, text).added);
    }
  }

  close(uri: string): void {
    this.#documents.get(uri)?.closed.abort();
    this.#documents.delete(uri);
  }

  /** @throws InvalidRequestError when the document is not open */
  text(uri: string): DocumentText {
    return this.#document(uri).text;
  }

  /**
   * Returns the open documents, the given one first, as far as their sentences are encoded. What is
   * not yet is encoded from now on.
   */
  async *encoded(first: string, signal?: AbortSignal): AsyncGenerator<EncodedDocument> {
    if (this.#languages.loading !== null) await this.#languages.loading;
    let left = sentencesOfAll;
    const others = [...this.#documents.keys()].filter((uri) => uri !== first);
    for (const uri of [first, ...others]) {
      const document = this.#documents.get(uri); // closed meanwhile
      if (document === undefined || left <= 0) continue;
      const { text, source } = document;
      await inSlices(text.reading(), signal);
      const sentences = text.sentences.slice(-Math.min(left, sentencesOfDocument));
      await inSlices(this.#languages.identifying(text, sentences, source), signal);
      const choices = this.#languages.choose(text, sentences, source);
      const known = this.#concepts.known(inLanguages(sentences, choices));
      const concepts = sentences.map(({ complete }, i) => (complete && known[i]) || null);
      this.#want(
        document,
        sentences.filter((_, i) => concepts[i] === null),
      );
      left -= sentences.length;
      yield { uri, sentences, concepts };
    }
  }

  #document(uri: string): OpenDocument {
    const document = this.#documents.get(uri);
    if (document === undefined) {
      throw new InvalidRequestError('document: expected an open one, found one that is closed');
    }
    return document;
  }

  #want(document: OpenDocument, sentences: readonly Sentence[]): void {
    if (!this.#isReady) return;
    for (const sentence of sentences) {
      if (sentence.complete) document.waiting.set(sentence.text, sentence);
    }
    void this.#encodeWaiting(document);
  }

  async #encodeWaiting(document: OpenDocument): Promise<void> {
    if (document.isEncoding) return;
    document.isEncoding = true;
    try {
      while (document.waiting.size > 0) {
        if (this.#languages.loading !== null) await this.#languages.loading;
        const sentences = [...document.waiting.values()].slice(0, sentencesAtOnce);
        for (const { text } of sentences) document.waiting.delete(text);
        const choices = this.#languages.choose(document.text, sentences, document.source);
        await this.#concepts.concepts(inLanguages(sentences, choices), document.closed.signal);
      }
    } catch (error) {
      // Nobody waits for this work: what fails here fails again, and is told, when it is asked for.
      if (!isAbortError(error)) this.#logger.warn(`encoding ahead failed: ${String(error)}`);
    } finally {
      document.isEncoding = false;
    }
  }
}

/** Only the end of the document is split for this, so that a very long one opens at once. */
function lastSentences(text: DocumentText): Sentence[] {
  return text.sentencesBefore(text.text.length, sentencesOnOpen);
}
