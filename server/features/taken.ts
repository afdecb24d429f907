import { inSlices } from '../base/slices.ts';
import type { DocumentText } from '../text/documentText.ts';
import type { Sentence } from '../text/proseBlock.ts';
import type { LanguageChooser } from './languageChoice.ts';
import { type Concept, inLanguages, type SentenceConcepts } from './sentenceConcepts.ts';

/*
 * What stands elsewhere in a document, as concepts: a suggestion that says the same again, in
 * whatever words or language, is none.
 */

/** Where a suggestion is wanted. */
export interface TakenPlace {
  document: DocumentText;
  /** The caret, in UTF-16 units. */
  offset: number;
  /** The setting of the document's language: `auto`, or a language. */
  source: string;
}

export interface TakenParts {
  concepts: SentenceConcepts;
  languages: LanguageChooser;
}

/** Sentences after the caret that are encoded for this: what the writer is about to come to. */
const nextSentences = 16;

/** Sentences on either side of the caret that are looked at as far as they are encoded already. */
const sentencesOnASide = 1024;

/**
 * Returns the concepts of the sentences that follow a place, and of those around it as far as they
 * are known: nothing more is read or encoded for them.
 */
export async function takenAround(
  { document, offset, source }: TakenPlace,
  { concepts, languages }: TakenParts,
  signal?: AbortSignal,
): Promise<Concept[]> {
  if (languages.loading !== null) await languages.loading;
  const withLanguages = async (sentences: readonly Sentence[]) => {
    await inSlices(languages.identifying(document, sentences, source), signal);
    return inLanguages(sentences, languages.choose(document, sentences, source));
  };
  const next = await withLanguages(document.sentencesAfter(offset, nextSentences));
  const around = document.sentencesReadAround(offset, sentencesOnASide);
  const known = concepts.known(await withLanguages(around)).filter((one) => one !== null);
  return [...(await concepts.concepts(next, signal)), ...known];
}
