import { readFileSync } from 'node:fs';

/** Predictions and frequencies of transformers' Llama; make.py tells how they were made. */
interface SonarLlmGolden {
  /** Nine predictions after the nine concepts of the closed form, [9, 16]. */
  predictions: Readonly<Record<'ungrouped' | 'grouped', readonly (readonly number[])[]>>;
  frequencies: Readonly<Record<'tiny' | 'llama32', readonly number[]>>;
}

export const sonarLlmGolden: SonarLlmGolden = JSON.parse(
  readFileSync('test/golden/sonarLlm/golden.json', 'utf8'),
);
