import { readFileSync } from 'node:fs';

/** What training/entropy.py says of a text; make.py tells how it was made. */
interface EntropyGolden {
  text: string;
  /** With BOS. */
  ids: readonly number[];
  /** Of the id after each, in nats. */
  entropies: readonly number[];
  /** Of each id but BOS, in nats. */
  surprisals: readonly number[];
}

export const entropyGolden: EntropyGolden = JSON.parse(
  readFileSync('test/golden/entropyModel/golden.json', 'utf8'),
);
