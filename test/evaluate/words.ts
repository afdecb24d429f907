/*
 * When a decoded sentence is well-formed, decided mechanically: all its words are words of the
 * training texts, it ends like a sentence, and it does not go round in circles. Necessary for a
 * good sentence and not enough for one. training/evaluation/words.py is the same in Python.
 */

const word = /\p{L}+(?:['’]\p{L}+)*/gu;
const ending = /[.!?…。！？]["'”’)\]]*$/u;
const maxLoopWords = 4;

/** Returns the words in lower case; numbers and signs are none. */
export function wordsOf(text: string): string[] {
  return Array.from(text.matchAll(word), ([found]) => found.toLowerCase().replaceAll('’', "'"));
}

export function isWellFormed(text: string, known: ReadonlySet<string>): boolean {
  const words = wordsOf(text);
  return (
    words.length > 0 &&
    words.every((found) => known.has(found)) &&
    ending.test(text) &&
    !goesInCircles(words)
  );
}

/** Whether one word stands three times in a row, or the same two to four words twice. */
export function goesInCircles(words: readonly string[]): boolean {
  for (let size = 1; size <= maxLoopWords; size++) {
    const times = size === 1 ? 3 : 2;
    for (let start = 0; start + size * times <= words.length; start++) {
      const loop = words.slice(start, start + size * times);
      if (loop.every((found, i) => found === loop[i % size])) return true;
    }
  }
  return false;
}

/** Returns the share of n-grams of words, over several texts together, that are different ones. */
export function distinctShare(texts: readonly string[], order: number): number {
  const found = texts.flatMap((text) => runsOf(wordsOf(text), order));
  return found.length === 0 ? 0 : new Set(found).size / found.length;
}

/** Whether four words in a row stand in the context already. */
export function saysAgain(text: string, context: readonly string[]): boolean {
  const said = new Set(context.flatMap((sentence) => runsOf(wordsOf(sentence), 4)));
  return runsOf(wordsOf(text), 4).some((run) => said.has(run));
}

function runsOf(words: readonly string[], order: number): string[] {
  return words.slice(order - 1).map((_, i) => words.slice(i, i + order).join(' '));
}
