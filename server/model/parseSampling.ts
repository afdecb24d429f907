import type { Fields } from './fields.ts';
import {
  codebookSizes,
  diffusionTrainSteps,
  guidanceScales,
  noiseScales,
  temperatures,
} from './limits.ts';
import type { SamplingEntry } from './manifest.ts';

/*
 * What the makers of a concept model recommend for its sampling: in a configuration under the
 * names of the reference, in a manifest in camelCase. Each field may be absent, and so may all.
 */

/** No recommendation. */
export const noSampling: SamplingEntry = {
  inferenceTimesteps: null,
  guidanceScale: null,
  initialNoiseScale: null,
  temperature: null,
  topK: null,
};

/** How the fields are called. */
type SamplingNames = Readonly<Record<keyof SamplingEntry, string>>;

const manifestNames: SamplingNames = {
  inferenceTimesteps: 'inferenceTimesteps',
  guidanceScale: 'guidanceScale',
  initialNoiseScale: 'initialNoiseScale',
  temperature: 'temperature',
  topK: 'topK',
};

/** reference: LCMGeneratorOptions and DiffusionLCMGeneratorOptions, where it has the field. */
const configNames: SamplingNames = {
  inferenceTimesteps: 'inference_timesteps',
  guidanceScale: 'guidance_scale',
  initialNoiseScale: 'initial_noise_scale',
  temperature: 'temperature',
  topK: 'top_k',
};

/**
 * Parses `sampling` of a concept model's configuration.
 *
 * @throws CheckpointFormatError when a value is out of its range
 * @throws CheckpointUnsupportedError for a field that nobody knows
 */
export function parseSamplingConfig(fields: Fields): SamplingEntry {
  const sampling = parseSampling(fields, configNames);
  fields.close();
  return sampling;
}

/** Parses `sampling` of a manifest's concept model. @throws IntegrityError when it is malformed */
export function parseSamplingEntry(fields: Fields): SamplingEntry {
  return parseSampling(fields, manifestNames);
}

function parseSampling(fields: Fields, names: SamplingNames): SamplingEntry {
  const number = (name: string, range: { min: number; max: number }) =>
    fields.orNull(name, (key) => fields.number(key, range));
  const integer = (name: string, range: { min: number; max: number }) =>
    fields.orNull(name, (key) => fields.integer(key, range));
  return {
    inferenceTimesteps: integer(names.inferenceTimesteps, diffusionTrainSteps),
    guidanceScale: number(names.guidanceScale, guidanceScales),
    initialNoiseScale: number(names.initialNoiseScale, noiseScales),
    temperature: number(names.temperature, temperatures),
    topK: integer(names.topK, codebookSizes),
  };
}
