import { InvalidRequestError, isAbortError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { DocumentText } from '../text/documentText.ts';
import type { ProseFormat, Sentence } from '../text/proseBlock.ts';
import type { LanguageChooser } from './languageChoice.ts';
import { inLanguages, type SentenceConcepts } from './sentenceConcepts.ts';

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
        const sentences = [...document.waiting.values()];
        document.waiting.clear();
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
