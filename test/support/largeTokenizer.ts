import { buildModel, type PieceSpec, specialPieces } from './sentencePieceModels.ts';

/** As many pieces as the tokenizer of NLLB and SONAR has. */
const numPieces = 256_000;
const letters = 'abcdefghijklmnopqrstuvwxyz';
const wordStart = '\u2581';

/**
 * Returns a BPE model of NLLB's size: all strings of up to three letters, within words and at their
 * start, and words of four letters until it is full. A sentence of words of one letter has as many
 * tokens as words.
 */
export function largeTokenizer(): Uint8Array {
  const strings = [wordStart];
  for (let length = 1; strings.length < numPieces; length++) {
    const combinations = letterStrings(length);
    if (length <= 3) strings.push(...combinations);
    for (const text of combinations) strings.push(wordStart + text);
  }
  const pieces: PieceSpec[] = strings.map((piece, index) => ({ piece, score: -index, type: 1 }));
  return buildModel({ pieces: [...specialPieces, ...pieces].slice(0, numPieces) });
}

function letterStrings(length: number): string[] {
  if (length === 0) return [''];
  return letterStrings(length - 1).flatMap((start) => [...letters].map((letter) => start + letter));
}
