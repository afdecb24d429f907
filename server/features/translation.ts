import type { DecodedSentence, Inference } from '../inference/inference.ts';
import type { SourceSentence } from './sentenceConcepts.ts';

/** Sentences that are written at once; between two such groups others have their turn. */
const groupSize = 16;

/** As the reference decodes. */
export const translationBeamSize = 5;

/** Scripts whose sentences follow each other without a space. */
const withoutSpaces = /_(?:Jpan|Hans|Hant)$/;

export interface TranslationOptions {
  to: string;
  beamSize: number;
}

/**
 * Translates sentence by sentence: encoded in one language, decoded in another.
 *
 * reference: TextToTextModelPipeline, which never shortens what is too long
 *
 * @throws InvalidRequestError when a language is unknown or a sentence is longer than the encoder reads
 */
export async function translateSentences(
  inference: Inference,
  sentences: readonly SourceSentence[],
  { to, beamSize }: TranslationOptions,
  signal?: AbortSignal,
): Promise<DecodedSentence[]> {
  if (sentences.length === 0) return [];
  const request = {
    sentences: sentences.map(({ text }) => text),
    lang: sentences.map(({ lang }) => lang),
    overlong: 'refused',
  } as const;
  const embeddings = await inference.encode(request, signal);
  const translations: DecodedSentence[] = [];
  for (let start = 0; start < embeddings.length; start += groupSize) {
    const group = embeddings.slice(start, start + groupSize);
    const decoded = await inference.decode({ embeddings: group, lang: to, beamSize }, signal);
    translations.push(...decoded);
  }
  return translations;
}

/**
 * Joins sentences of a language to text.
 *
 * @param blocks  for each sentence, what is equal for those of one paragraph
 */
export function joinSentences(
  texts: readonly string[],
  blocks: readonly number[],
  lang: string,
): string {
  const space = withoutSpaces.test(lang) ? '' : ' ';
  return texts.reduce((joined, text, i) => {
    if (joined === '' || text === '') return joined + text;
    return joined + (blocks[i] === blocks[i - 1] ? space : '\n\n') + text;
  }, '');
}
