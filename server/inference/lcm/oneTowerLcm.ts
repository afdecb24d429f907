import type { OneTowerLcmEntry } from '../../model/manifest.ts';
import { Random } from '../../tensor/random.ts';
import type { GraphSession, slotLcmSignature } from '../graphSession.ts';
import type { SamplingOptions } from '../inference.ts';
import { type ConceptModel, checkPrediction } from './conceptModel.ts';
import { DdimScheduler } from './ddimScheduler.ts';
import { denoise, type NoiseSource } from './diffusion.ts';
import type { Normalizer } from './normalizer.ts';
import { SlotTower } from './slotTower.ts';

/** The timestep of a clean concept: x₀ in the paper's letters. */
const cleanTimestep = 0;

/**
 * One-Tower diffusion LCM: one causal Transformer reads the clean concepts, and turns noise in the
 * slot after them into the next one. Without context a slot sees itself alone.
 *
 * Source: LCM team 2024 (arXiv:2412.08821), section 2.3.2.
 */
export class OneTowerLcm implements ConceptModel {
  readonly #entry: OneTowerLcmEntry;
  readonly #normalizer: Normalizer;
  readonly #scheduler: DdimScheduler;
  readonly #tower: SlotTower;

  constructor(
    entry: OneTowerLcmEntry,
    graph: GraphSession<typeof slotLcmSignature>,
    normalizer: Normalizer,
  ) {
    this.#entry = entry;
    this.#normalizer = normalizer;
    this.#scheduler = new DdimScheduler(entry.noiseScheduler);
    this.#tower = new SlotTower(entry, graph, cleanTimestep);
  }

  predict(
    context: readonly Float32Array[],
    options: SamplingOptions,
    signal?: AbortSignal,
  ): Promise<Float32Array[]> {
    return this.denoise(context, options, (i) => new Random(options.seed, i), signal);
  }

  /** Samples like `predict`, with the given noise. */
  async denoise(
    context: readonly Float32Array[],
    options: SamplingOptions,
    noiseOf: NoiseSource,
    signal?: AbortSignal,
  ): Promise<Float32Array[]> {
    const { normalize, denormalize } = this.#normalizer;
    const sampler = { ...this.#entry, scheduler: this.#scheduler, noiseOf };
    // The slot takes the position after the last concept.
    const window = context.slice(-(this.#entry.maxSeqLen - 1)).map(normalize);
    const samples = await denoise(
      sampler,
      options,
      context[0]?.length ?? 0,
      async () => {
        const run = await this.#tower.readContext(window, signal);
        return ({ latents, timestep, isGuided }) =>
          run({ slots: latents, condition: timestep, isGuided });
      },
      signal,
    );
    return samples.map((sample) => checkPrediction(this.#entry.name, denormalize(sample)));
  }

  async dispose(): Promise<void> {
    await this.#tower.dispose();
  }
}
