/** Tokens that are not text: the language and `</s>`. */
const numMarks = 2;

/**
 * Returns a sentence of exactly so many tokens, marks included: `largeTokenizer` has a token for
 * every word of one letter and none for two of them.
 */
export function sentence(index: number, numTokens: number): string {
  const words = Array.from({ length: numTokens - numMarks }, (_, i) =>
    String.fromCharCode(0x61 + ((7 * i + index) % 26)),
  );
  return words.join(' ');
}
