/*
 * What was offered at a place of a document, and what the writer has made of it. Acceptance is read
 * from the text: no editor tells it, and all of them send their edits.
 */

/** A sentence that was offered, fitted to its place. */
export interface OfferedText {
  /** As it is inserted at the offer's start. */
  text: string;
  /** How sure the model is, 0 to 1; null where it cannot tell. */
  confidence: number | null;
}

/** Sentences offered at one place, in the order shown. */
export interface Offer {
  /** Where they begin, in UTF-16 units. */
  start: number;
  texts: readonly OfferedText[];
}

/** A change of a document: `[start, end)` in UTF-16 units became `text`. */
interface Edit {
  start: number;
  end: number;
  text: string;
}

/**
 * What an edit means for an offer: it was accepted whole or in part, is being typed by hand (to its
 * end), was passed over for other words, taken back, has lost its ground, or has nothing to do with it.
 */
export type Outcome =
  | 'accepted'
  | 'acceptedPartly'
  | 'typing'
  | 'typed'
  | 'rejected'
  | 'takenBack'
  | 'lost'
  | 'untouched';

/** Returns the offered sentences that go on from what was typed since, whole. */
export function continued({ start, texts }: Offer, text: string, caret: number): OfferedText[] {
  if (caret < start) return [];
  const typed = text.slice(start, caret);
  return texts.filter((offered) => {
    return offered.text.length > typed.length && offered.text.startsWith(typed);
  });
}

/** Tells what an edit means for an offer. @param text  the document after the edit */
export function outcomeOf({ start, texts }: Offer, text: string, edit: Edit): Outcome {
  // An editor may replace more than the offer's own range, or write its line break differently.
  if (edit.start < start) return 'lost';
  const reach = Math.max(...texts.map((offered) => offered.text.length));
  const caret = edit.start + edit.text.length;
  if (edit.start > start + reach) return 'untouched';
  if (edit.text === '') return 'takenBack';
  const typed = text.slice(start, caret);
  const isAtOnce = edit.text.trim().length > 1;
  if (texts.some((offered) => offered.text === typed)) return isAtOnce ? 'accepted' : 'typed';
  if (texts.some((offered) => offered.text.startsWith(typed))) {
    return isAtOnce ? 'acceptedPartly' : 'typing';
  }
  // Between sentences a writer types spaces and line breaks, whatever is offered.
  return typed.trim() === '' ? 'untouched' : 'rejected';
}

/**
 * Returns the sentences of which the model is sure enough. Nobody wants to be interrupted by what
 * the model itself does not believe.
 *
 * @param minConfidence  0 takes all, as who asks wants it
 */
export function sureEnough(texts: readonly OfferedText[], minConfidence: number): OfferedText[] {
  return texts.filter(({ confidence }) => confidence === null || confidence >= minConfidence);
}
