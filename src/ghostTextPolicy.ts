/*
 * Where a next sentence may be wanted, and what is left of an offer while the writer types. All of
 * it runs on every keystroke, so nothing here looks at more than a few lines.
 */

/** Characters at the end of a line that decide; a sentence end with its closers is shorter. */
const tailLength = 64;

/** Blank lines between the caret and the paragraph that is still the one being continued. */
const maxBlankLines = 1;

/** Terminal punctuation of many scripts, then quotes, brackets, markup and footnote marks. */
const sentenceEnd = /[.!?…。！？．؟۔।॥։።။។](?:["'”’»›)\]}*_~`」』）】〉》]|\[\^[^\]\s]+\])*$/u;

/**
 * Tells whether a next sentence is in place: the caret stands at the end of a line, after the end
 * of a sentence or on an empty line below one. Whether the sentence is prose is for the server to say.
 *
 * @param line       text of the caret's line
 * @param character  offset of the caret in it
 * @param lineAbove  text of the line so many lines above; undefined above the first
 */
export function isSentencePoint(
  line: string,
  character: number,
  lineAbove: (distance: number) => string | undefined,
): boolean {
  if (line.slice(character).trim() !== '') return false;
  const before = line.slice(0, character).trimEnd();
  if (before !== '') return endsSentence(before);
  for (let distance = 1; distance <= maxBlankLines + 1; distance++) {
    const above = lineAbove(distance)?.trimEnd();
    if (above === undefined) return false;
    if (above !== '') return endsSentence(above);
  }
  return false;
}

/** `1.` and `...` end no sentence: there must be a letter. */
function endsSentence(text: string): boolean {
  const tail = text.slice(-tailLength);
  return sentenceEnd.test(tail) && /\p{L}/u.test(tail);
}

/** A place in a document, and what stands before it on its line. */
export interface Caret {
  uri: string;
  line: number;
  before: string;
}

/** Sentences that were offered at a caret, in the order shown. */
export interface Offer {
  caret: Caret;
  texts: readonly string[];
}

/** Returns what is left of each offered sentence that the writer is typing. */
export function restsOf(offer: Offer, { uri, line, before }: Caret): string[] {
  const { caret, texts } = offer;
  if (uri !== caret.uri || line !== caret.line || !before.startsWith(caret.before)) return [];
  const typed = before.slice(caret.before.length);
  return texts
    .filter((text) => text.length > typed.length && text.startsWith(typed))
    .map((text) => text.slice(typed.length));
}

/** A zero-based position in a document, as in the editor. */
interface Position {
  line: number;
  character: number;
}

/** Returns the end of a text that was put at a position. */
export function endOfChange({ line, character }: Position, text: string): Position {
  const lines = text.split(/\r\n|\r|\n/);
  const last = lines[lines.length - 1] ?? '';
  return lines.length === 1
    ? { line, character: character + text.length }
    : { line: line + lines.length - 1, character: last.length };
}
