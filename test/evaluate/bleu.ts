import { countMatches } from './chrf.ts';

/*
 * BLEU of a corpus, with the words of NIST's mteval-v13a and sacreBLEU's "exp" smoothing: orders
 * without any match count 1/2, 1/4 … of one.
 *
 * Source: Papineni et al. 2002 (doi:10.3115/1073083.1073135). training/evaluation/bleu.py is the
 * same in Python, and equal to sacreBLEU.
 */

const maxOrder = 4;

/** Returns 0 … 100: the geometric mean of the precisions, times the penalty of brevity. */
export function bleu(hypotheses: readonly string[], references: readonly string[]): number {
  const h = hypotheses.map(tokenizeWords);
  const r = references.map(tokenizeWords);
  let logs = 0;
  let smoothing = 1;
  for (let order = 1; order <= maxOrder; order++) {
    const { matches, guessed } = countMatches(h, r, order);
    if (guessed === 0 || (order === 1 && matches === 0)) return 0;
    if (matches === 0) smoothing *= 2;
    logs += Math.log((matches || 1 / smoothing) / guessed);
  }
  const length = h.reduce((sum, words) => sum + words.length, 0);
  const expected = r.reduce((sum, words) => sum + words.length, 0);
  const brevity = length >= expected ? 1 : Math.exp(1 - expected / length);
  return 100 * brevity * Math.exp(logs / maxOrder);
}

/** Signs apart from words; full stops and commas unless between digits; a hyphen after a digit. */
function tokenizeWords(text: string): string[] {
  return ` ${text.trim()} `
    .replace(/([{-~[-` -&(-+:-@/])/g, ' $1 ')
    .replace(/([^0-9])([.,])/gu, '$1 $2 ')
    .replace(/([.,])([^0-9])/gu, ' $1 $2')
    .replace(/([0-9])(-)/g, '$1 $2 ')
    .split(/\s+/u)
    .filter((word) => word !== '');
}
