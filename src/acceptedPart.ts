/*
 * How much of a sentence is taken at once. Word is the editor's own; clause and sentence are ours.
 */

export type AcceptedPart = 'clause' | 'sentence';

/**
 * Marks that end a clause, with the quotes and brackets that close after them. Those of Latin script
 * stand before a space, so that `1,000` and `12:30` are whole; a dash between numbers is a range.
 */
const clauseMark =
  /(?:[,;:](?=["'”’»)\]}*_]*(?:\s|$))|—|(?<!\d)–|–(?!\d)|[，；：、،؛])["'”’»）」』)\]}*_]*/gu;

const sentences = new Intl.Segmenter(undefined, { granularity: 'sentence' });

/** Returns where the first clause or sentence of a text ends, in UTF-16 units, without the space after. */
export function endOfPart(text: string, part: AcceptedPart): number {
  const sentenceEnd = endOfSentence(text);
  if (part === 'sentence') return sentenceEnd;
  for (const match of text.slice(0, sentenceEnd).matchAll(clauseMark)) {
    // What has no letter yet is no clause.
    if (/\p{L}/u.test(text.slice(0, match.index))) return match.index + match[0].length;
  }
  return sentenceEnd;
}

/** Leading space may make a segment of its own. */
function endOfSentence(text: string): number {
  for (const { segment, index } of sentences.segment(text)) {
    if (segment.trim() !== '') return index + segment.trimEnd().length;
  }
  return text.length;
}
