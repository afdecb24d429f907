import { clamp, scale } from '../../tensor/vector.ts';
import type { SamplingOptions } from '../inference.ts';
import type { DdimScheduler } from './ddimScheduler.ts';
import { applyGuidance } from './guidance.ts';

/*
 * From noise to concepts, for whatever network predicts them. All candidates go through the steps
 * as one batch.
 */

/** What a network is asked at one step. */
export interface DenoisingStep {
  /** x_t of every candidate, [E] each. */
  latents: readonly Float32Array[];
  timestep: number;
  /** Whether it must also predict without context. */
  isGuided: boolean;
}

/** Predictions for N candidates. */
export interface GuidedPredictions {
  conditional: readonly Float32Array[];
  /** Without context; none when the step is not guided. */
  unconditional: readonly Float32Array[];
}

export type PredictStep = (step: DenoisingStep) => Promise<GuidedPredictions>;

/** Where the noise of candidate i comes from: all that it uses, in order. */
export type NoiseSource = (candidate: number) => { gaussians(length: number): Float32Array };

export interface Sampler {
  scheduler: DdimScheduler;
  /** First the latents, and for `ddimEta` > 0 the noise of each step. */
  noiseOf: NoiseSource;
  /** A model that was trained without guidance is sampled without. */
  trainedWithCfGuidance: boolean;
}

/** Latents never leave ±this; reference: clip_noise. */
const clipNoise = 100;

/**
 * Samples concepts in normalised space.
 *
 * Source: LCM team 2024 (arXiv:2412.08821), section 2.3.3;
 * reference: TwoTowerDiffusionLCModel.predict_next_sentence.
 *
 * @param embeddingDim  E
 * @param readContext   makes the network ready for its context; called once the options are valid
 * @returns the x̂₀ of the last step, [E] for each candidate
 * @throws InvalidRequestError when an option is out of its range
 */
export async function denoise(
  { scheduler, noiseOf, trainedWithCfGuidance }: Sampler,
  options: SamplingOptions,
  embeddingDim: number,
  readContext: () => Promise<PredictStep>,
  signal?: AbortSignal,
): Promise<Float32Array[]> {
  const { inferenceTimesteps, epsilonScaling, ddimEta, initialNoiseScale } = options;
  const timesteps = scheduler.timesteps(inferenceTimesteps);
  const isGuided = trainedWithCfGuidance && options.guidanceScale !== 1;
  const predict = await readContext();

  const noises = Array.from({ length: options.count }, (_, i) => noiseOf(i));
  let latents = noises.map((noise) =>
    clamp(scale(initialNoiseScale, noise.gaussians(embeddingDim)), -clipNoise, clipNoise),
  );
  let predOriginalSamples = latents;

  for (const timestep of timesteps) {
    signal?.throwIfAborted();
    // At t = T − 1 there may be no signal at all, so ε̂ would be a division by zero.
    const isGuidedStep = isGuided && timestep !== scheduler.lastTimestep;
    const predictions = await predict({ latents, timestep, isGuided: isGuidedStep });
    const steps = latents.map((sample, i) => {
      const conditional = predictions.conditional[i] as Float32Array;
      const unconditional = predictions.unconditional[i];
      const common = { timestep, sample, inferenceTimesteps, epsilonScaling };
      const variance =
        ddimEta > 0
          ? { ddimEta, noise: (noises[i] as (typeof noises)[0]).gaussians(embeddingDim) }
          : undefined;
      if (unconditional === undefined) {
        return scheduler.step({ ...common, variance, modelOutput: conditional });
      }
      const predEpsilon = applyGuidance(
        scheduler.predEpsilon(conditional, timestep, sample),
        scheduler.predEpsilon(unconditional, timestep, sample),
        options,
      );
      return scheduler.step({
        ...common,
        variance,
        modelOutput: predEpsilon,
        predictionType: 'epsilon',
      });
    });
    latents = steps.map(({ prevSample }) => clamp(prevSample, -clipNoise, clipNoise));
    predOriginalSamples = steps.map(({ predOriginalSample }) => predOriginalSample);
  }
  return predOriginalSamples;
}
