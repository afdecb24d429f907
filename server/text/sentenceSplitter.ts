import { DocumentText } from './documentText.ts';
import type { ProseFormat, Sentence } from './proseBlock.ts';

/**
 * Returns the sentences of a document in reading order.
 *
 * @param locale BCP 47 tag of the language, for the rules that depend on it
 */
export function splitSentences(text: string, format: ProseFormat, locale?: string): Sentence[] {
  return new DocumentText(text, format, locale).sentences;
}
