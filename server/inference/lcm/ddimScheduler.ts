import { InvalidRequestError } from '../../base/errors.ts';
import type { NoiseSchedulerConfig } from '../../model/manifest.ts';
import { absolute, clamp, combine, quantile, scale } from '../../tensor/vector.ts';

/*
 *   T — diffusion steps of the training, S — steps of the inference
 *   t — timestep, 0 … T − 1                    ᾱ_t — alphasCumprod, the share of signal in x_t
 *   x_t — sample                               x̂₀ — predOriginalSample
 *   ε̂ — predEpsilon                            x_{t−1} — prevSample, where t−1 is t − ⌊T / S⌋
 *
 * Tables are float32, as in the reference; the arithmetic on them is float64.
 */

export type PredictionType = NoiseSchedulerConfig['predictionType'];

export interface DdimStep {
  /** What the model said, [E]. */
  modelOutput: Float32Array;
  timestep: number;
  /** x_t, [E]. */
  sample: Float32Array;
  /** S. */
  inferenceTimesteps: number;
  /** The model's own when absent. */
  predictionType?: PredictionType;
  /** ε̂ is divided by it in the direction term; Ning et al. 2024 (arXiv:2308.15321). */
  epsilonScaling?: number | undefined;
  /** η and the noise that it weighs, [E]; deterministic when absent. */
  variance?: { ddimEta: number; noise: Float32Array } | undefined;
}

export interface DdimStepResult {
  prevSample: Float32Array;
  predOriginalSample: Float32Array;
}

/**
 * Noise schedule and sampling steps of a diffusion model.
 *
 * Source: Song et al. 2021 (arXiv:2010.02502); Lin et al. 2023 (arXiv:2305.08891) for schedules
 * that end in pure noise; reference: DDIMScheduler.
 */
export class DdimScheduler {
  readonly #config: NoiseSchedulerConfig;
  /** β_t, [T]. */
  readonly betas: Float32Array;
  /** ᾱ_t = Π (1 − β), [T]. */
  readonly alphasCumprod: Float32Array;

  constructor(config: NoiseSchedulerConfig) {
    this.#config = config;
    const betas = noiseSchedule(config);
    this.betas = config.rescaleBetasZeroSnr ? rescaleZeroTerminalSnr(betas) : betas;
    this.alphasCumprod = cumulativeProduct(this.betas.map((beta) => 1 - beta));
  }

  /** T − 1, where there may be no signal at all. */
  get lastTimestep(): number {
    return this.#config.numDiffusionTrainSteps - 1;
  }

  /**
   * Returns the timesteps of an inference in S steps, first to last. There may be more than S: the
   * reference cuts the stride T / S down to an integer before it counts, and so do we.
   *
   * @throws InvalidRequestError when S is not an integer from 1 to T
   */
  timesteps(inferenceTimesteps: number): number[] {
    const { numDiffusionTrainSteps: T, timestepSpacing } = this.#config;
    const S = inferenceTimesteps;
    if (!Number.isInteger(S) || S < 1 || S > T) {
      throw new InvalidRequestError(`inferenceTimesteps: expected 1 to ${T}, found ${S}`);
    }
    if (timestepSpacing === 'linspace') {
      const stride = S === 1 ? 0 : (T - 1) / (S - 1);
      return Array.from({ length: S }, (_, i) => Math.trunc(stride * i)).reverse();
    }
    const stride = Math.trunc(T / S);
    const count = Math.ceil(T / stride);
    return timestepSpacing === 'trailing'
      ? Array.from({ length: count }, (_, i) => T - 1 - i * stride)
      : Array.from({ length: count }, (_, i) => i * stride).reverse();
  }

  /**
   * Goes one step back, x_t → x_{t−1}.
   *
   *   x_{t−1} = √ᾱ_{t−1} x̂₀ + √(1 − ᾱ_{t−1} − σ²) ε̂ + σ z
   *   σ²      = η² (1 − ᾱ_{t−1}) / (1 − ᾱ_t) · (1 − ᾱ_t / ᾱ_{t−1})
   *
   * Source: Song et al. 2021, equations 12 and 16; reference: DDIMScheduler.step.
   */
  step(step: DdimStep): DdimStepResult {
    const { timestep, epsilonScaling = 1, variance } = step;
    const prevTimestep =
      timestep - Math.floor(this.#config.numDiffusionTrainSteps / step.inferenceTimesteps);
    const alpha = this.#alphaCumprod(timestep);
    const prevAlpha = this.#alphaCumprod(prevTimestep);

    const type = step.predictionType ?? this.#config.predictionType;
    const prediction = predict(type, alpha, step.modelOutput, step.sample);
    const predEpsilon = scale(1 / epsilonScaling, prediction.predEpsilon);
    const predOriginalSample = this.#limit(prediction.predOriginalSample);

    const eta = variance?.ddimEta ?? 0;
    const sigmaSquared =
      eta === 0 ? 0 : (eta ** 2 * (1 - prevAlpha) * (1 - alpha / prevAlpha)) / (1 - alpha);
    const direction = Math.sqrt(Math.max(0, 1 - prevAlpha - sigmaSquared));
    const mean = combine(Math.sqrt(prevAlpha), predOriginalSample, direction, predEpsilon);
    const prevSample = variance ? combine(1, mean, Math.sqrt(sigmaSquared), variance.noise) : mean;
    return { prevSample, predOriginalSample };
  }

  /** Returns ε̂ as the model's output implies it; reference: DDIMScheduler.get_epsilon. */
  predEpsilon(modelOutput: Float32Array, timestep: number, sample: Float32Array): Float32Array {
    const alpha = this.#alphaCumprod(timestep);
    return predict(this.#config.predictionType, alpha, modelOutput, sample).predEpsilon;
  }

  /** Returns x_t = √ᾱ_t x₀ + √(1 − ᾱ_t) ε. */
  addNoise(original: Float32Array, noise: Float32Array, timestep: number): Float32Array {
    const alpha = this.#alphaCumprod(timestep);
    return combine(Math.sqrt(alpha), original, Math.sqrt(1 - alpha), noise);
  }

  /** Returns v_t = √ᾱ_t ε − √(1 − ᾱ_t) x₀. */
  velocity(original: Float32Array, noise: Float32Array, timestep: number): Float32Array {
    const alpha = this.#alphaCumprod(timestep);
    return combine(Math.sqrt(alpha), noise, -Math.sqrt(1 - alpha), original);
  }

  /** Returns ᾱ_t; before the first step there is no noise left. */
  #alphaCumprod(timestep: number): number {
    if (timestep < 0 && this.#config.setAlphaToOne) return 1;
    return this.alphasCumprod[Math.max(0, timestep)] as number;
  }

  #limit(predOriginalSample: Float32Array): Float32Array {
    const { thresholding, clipSample, clipSampleRange } = this.#config;
    if (thresholding) return dynamicThreshold(predOriginalSample, this.#config);
    if (clipSample) return clamp(predOriginalSample, -clipSampleRange, clipSampleRange);
    return predOriginalSample;
  }
}

/**
 * Brings x̂₀ into [−s, s] and divides by s, where s is a high quantile of |x̂₀|.
 *
 * Source: Saharia et al. 2022 (arXiv:2205.11487), section 2.3.
 */
export function dynamicThreshold(
  predOriginalSample: Float32Array,
  { dynamicThresholdingRatio, sampleMaxValue }: NoiseSchedulerConfig,
): Float32Array {
  const high = quantile(absolute(predOriginalSample), dynamicThresholdingRatio);
  const s = Math.min(Math.max(high, 1), sampleMaxValue);
  return scale(1 / s, clamp(predOriginalSample, -s, s));
}

/** Returns x̂₀ and ε̂, of which the model says one, or v. */
function predict(
  type: PredictionType,
  alpha: number,
  output: Float32Array,
  sample: Float32Array,
): { predOriginalSample: Float32Array; predEpsilon: Float32Array } {
  const signal = Math.sqrt(alpha);
  const noise = Math.sqrt(1 - alpha);
  switch (type) {
    case 'sample':
      return {
        predOriginalSample: output,
        predEpsilon: scale(1 / noise, combine(1, sample, -signal, output)),
      };
    case 'epsilon':
      return {
        predOriginalSample: scale(1 / signal, combine(1, sample, -noise, output)),
        predEpsilon: output,
      };
    case 'v_prediction':
      return {
        predOriginalSample: combine(signal, sample, -noise, output),
        predEpsilon: combine(signal, output, noise, sample),
      };
  }
}

/** Returns β_t of the schedule, [T]. */
function noiseSchedule(config: NoiseSchedulerConfig): Float32Array {
  const { numDiffusionTrainSteps: T, betaStart, betaEnd } = config;
  switch (config.betaSchedule) {
    case 'linear':
      return linspace(betaStart, betaEnd, T);
    case 'scaled_linear': {
      const k = config.scaledLinearExponent;
      return linspace(betaStart ** (1 / k), betaEnd ** (1 / k), T).map((root) => root ** k);
    }
    case 'squaredcos_cap_v2':
      return betasOf(T, (u) => Math.cos((((u + 0.008) / 1.008) * Math.PI) / 2) ** 2);
    case 'sigmoid': {
      const { sigmoidScheduleAlpha: slope, sigmoidScheduleBeta: shift } = config;
      return betasOf(T, (u) => {
        const inside = Math.max(u, 1e-32); // reference: clamped in float32, so that 1 stays 1
        const logit = Math.log(inside / (1 - inside));
        return Math.fround(1 / (1 + Math.exp(slope * logit - shift)));
      });
    }
  }
}

/**
 * Returns β_i = 1 − ᾱ((i + 1) / T) / ᾱ(i / T), at most 0.999, for a function ᾱ of [0, 1].
 *
 * Source: Nichol, Dhariwal 2021 (arXiv:2102.09672), section 3.2.
 */
function betasOf(T: number, alphaBar: (u: number) => number): Float32Array {
  return Float32Array.from({ length: T }, (_, i) =>
    Math.min(1 - alphaBar((i + 1) / T) / alphaBar(i / T), 0.999),
  );
}

/**
 * Shifts and stretches √ᾱ so that the last step is pure noise and the first keeps its value.
 * Rounds where the reference does: 1 − ᾱ_0 is so small that another order shows in its digits.
 *
 * Source: Lin et al. 2023 (arXiv:2305.08891), algorithm 1.
 */
function rescaleZeroTerminalSnr(betas: Float32Array): Float32Array {
  const roots = cumulativeProduct(betas.map((beta) => 1 - beta)).map(Math.sqrt);
  const first = roots[0] as number;
  const last = roots.at(-1) as number;
  const stretch = Math.fround(first / Math.fround(first - last));
  const stretched = scale(
    stretch,
    roots.map((root) => root - last),
  );
  const alphas = stretched.map((root) => root ** 2);
  return alphas.map((alpha, i) => 1 - (i === 0 ? alpha : alpha / (alphas[i - 1] as number)));
}

function cumulativeProduct(x: Float32Array): Float32Array {
  let product = 1;
  return x.map((value) => {
    product *= value;
    return product;
  });
}

function linspace(start: number, end: number, length: number): Float32Array {
  const stride = length === 1 ? 0 : (end - start) / (length - 1);
  return Float32Array.from({ length }, (_, i) => start + stride * i);
}
