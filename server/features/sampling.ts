import { autoConceptModel, type CompletionSettings } from '../../protocol/settings.ts';
import { InvalidRequestError } from '../base/errors.ts';
import type { LoadedModel, SamplingOptions } from '../inference/inference.ts';

/*
 * Which concept model predicts, and how it is sampled. What the writer has set holds; else what
 * the makers of the concept model recommend (`sampling` in its configuration); else our default.
 */

/**
 * Our defaults. The seed is fixed, so that answers are stable; rescaling and ε-scaling are the
 * paper's (LCM, section 2.4.2).
 */
export const samplingDefaults: SamplingOptions = {
  lcm: autoConceptModel,
  count: 3,
  seed: 1,
  inferenceTimesteps: 16,
  guidanceScale: 3,
  guidanceRescale: 0.7,
  initialNoiseScale: 0.6,
  epsilonScaling: 1.00045,
  ddimEta: 0,
};

/** What may be said about sampling; null says nothing. */
export type SamplingWishes = {
  readonly [K in keyof SamplingOptions]?: SamplingOptions[K] | null | undefined;
};

/** Returns how a concept model of the model is sampled. */
export function samplingOptions(
  { samplings }: Pick<LoadedModel, 'samplings'>,
  lcm: string,
  wishes: SamplingWishes,
): SamplingOptions {
  return { ...samplingDefaults, ...stated(samplings[lcm] ?? {}), ...stated(wishes), lcm };
}

/** Returns what the writer has set. */
export function wishesOf(settings: CompletionSettings): SamplingWishes {
  return {
    inferenceTimesteps: settings.inferenceSteps,
    guidanceScale: settings.guidanceScale,
    initialNoiseScale: settings.noiseScale,
  };
}

function stated(wishes: SamplingWishes): Partial<SamplingOptions> {
  const entries = Object.entries(wishes).filter(([, value]) => (value ?? null) !== null);
  return Object.fromEntries(entries);
}

/**
 * Returns the concept model of that name, or the model's first: for `auto`, and for a name that
 * another model has.
 *
 * @throws InvalidRequestError when the model has no concept model at all
 */
export function chooseConceptModel(names: readonly string[], wanted: string): string {
  const name = names.includes(wanted) ? wanted : names[0];
  if (name === undefined) {
    throw new InvalidRequestError(`concept model: expected ${wanted}, found a model without any`);
  }
  return name;
}
