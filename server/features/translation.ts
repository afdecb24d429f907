import type { DecodedSentence, Inference } from '../inference/inference.ts';
import { cutAtThoughts } from '../text/cutAtThoughts.ts';
import { type CarriedOver, carryOver } from './fragileGuard.ts';
import type { SourceSentence } from './sentenceConcepts.ts';

/** Sentences that are written at once; between two such groups others have their turn. */
const groupSize = 16;

/** As the reference decodes. */
export const translationBeamSize = 5;

/** Scripts whose sentences follow each other without a space. */
const withoutSpaces = /_(?:Jpan|Hans|Hant)$/;

/**
 * Longer sentences are cut where the model knows the entropy of bytes, in UTF-16 units: the built-in
 * model has learnt sentences of up to 30 pieces, and those have 4 letters each.
 */
const comfortableLength = 128;

export interface TranslationOptions {
  to: string;
  beamSize: number;
  /** Whether the model knows the entropy of bytes, and so where a long sentence may be cut. */
  hasEntropies?: boolean;
}

/** A translation, with what its source says and it does not, and the other way round. */
export type Translation = DecodedSentence & Omit<CarriedOver, 'text'>;

/**
 * Translates sentence by sentence: encoded in one language, decoded in another. Numbers, names,
 * identifiers and links are carried over where it is clear which is which; see `carryOver`.
 *
 * reference: TextToTextModelPipeline, which never shortens what is too long
 *
 * @throws InvalidRequestError when a language is unknown or a sentence is longer than the encoder reads
 */
export async function translateSentences(
  inference: Inference,
  sentences: readonly SourceSentence[],
  { to, beamSize, hasEntropies = false }: TranslationOptions,
  signal?: AbortSignal,
): Promise<Translation[]> {
  if (sentences.length === 0) return [];
  const pieces = hasEntropies
    ? await cutLongSentences(inference, sentences, signal)
    : sentences.map((sentence) => [sentence]);
  const flat = pieces.flat();
  const request = {
    sentences: flat.map(({ text }) => text),
    lang: flat.map(({ lang }) => lang),
    overlong: 'refused',
  } as const;
  const embeddings = await inference.encode(request, signal);
  const decoded: Translation[] = [];
  for (let start = 0; start < embeddings.length; start += groupSize) {
    const group = embeddings.slice(start, start + groupSize);
    const written = await inference.decode({ embeddings: group, lang: to, beamSize }, signal);
    for (const sentence of written) {
      const source = flat[decoded.length] ?? { text: '' };
      const carried = carryOver(source, { text: sentence.text, lang: to });
      decoded.push({ ...carried, score: sentence.score });
    }
  }
  return pieces.map(({ length }) => joinPieces(decoded.splice(0, length), to));
}

/** Cuts what is longer than the model is good at where a new thought starts. */
async function cutLongSentences(
  inference: Inference,
  sentences: readonly SourceSentence[],
  signal: AbortSignal | undefined,
): Promise<SourceSentence[][]> {
  const long = sentences.filter(({ text }) => text.length > comfortableLength);
  const texts = long.map(({ text }) => text);
  const entropies = texts.length === 0 ? [] : await inference.entropies(texts, signal);
  const entropiesOf = new Map(long.map((sentence, i) => [sentence, entropies[i] ?? []]));
  return sentences.map((sentence) => {
    const { text, lang } = sentence;
    const cuts = cutAtThoughts(text, entropiesOf.get(sentence) ?? [], comfortableLength);
    return cuts.map(({ start, end }) => ({ text: text.slice(start, end), lang }));
  });
}

/** Makes one sentence of the translations of its pieces. */
function joinPieces(pieces: readonly Translation[], lang: string): Translation {
  const texts = pieces.map(({ text }) => text);
  return {
    text: joinSentences(texts, new Array<number>(pieces.length).fill(0), lang),
    score: pieces.reduce((sum, { score }) => sum + score, 0) / pieces.length,
    lost: pieces.flatMap(({ lost }) => lost),
    invented: pieces.flatMap(({ invented }) => invented),
  };
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
