import type { TwoTowerLcmEntry } from '../../model/manifest.ts';
import { Random } from '../../tensor/random.ts';
import { tensor } from '../../tensor/tensor.ts';
import { concatenate, splitRows } from '../../tensor/vector.ts';
import {
  type CarriedTensor,
  type contextSignature,
  type crossAttentionSignature,
  type denoiserSignature,
  type GraphSession,
  releaseTensor,
} from '../graphSession.ts';
import type { SamplingOptions } from '../inference.ts';
import { CachedTower, oneSequence } from './cachedTower.ts';
import { type ConceptModel, checkPrediction } from './conceptModel.ts';
import { DdimScheduler } from './ddimScheduler.ts';
import {
  type DenoisingStep,
  denoise,
  type GuidedPredictions,
  type NoiseSource,
} from './diffusion.ts';
import type { Normalizer } from './normalizer.ts';

export interface TwoTowerGraphs {
  context: GraphSession<typeof contextSignature>;
  crossAttention: GraphSession<typeof crossAttentionSignature>;
  denoiser: GraphSession<typeof denoiserSignature>;
}

/**
 * Two-Tower diffusion LCM: one tower reads the context, the other turns noise into the next
 * concept while it attends to it. All candidates are denoised as one batch.
 *
 * A model that was trained without guidance has no unconditional prediction and is sampled without.
 *
 * Source: LCM team 2024 (arXiv:2412.08821), section 2.3.3;
 * reference: TwoTowerDiffusionLCModel.predict_next_sentence.
 */
export class TwoTowerLcm implements ConceptModel {
  readonly #entry: TwoTowerLcmEntry;
  readonly #graphs: TwoTowerGraphs;
  readonly #normalizer: Normalizer;
  readonly #scheduler: DdimScheduler;
  readonly #tower: CachedTower;
  #cross: { outputs: readonly Float32Array[]; keyValues: CarriedTensor<'float32'> } | null = null;

  constructor(entry: TwoTowerLcmEntry, graphs: TwoTowerGraphs, normalizer: Normalizer) {
    this.#entry = entry;
    this.#graphs = graphs;
    this.#normalizer = normalizer;
    this.#scheduler = new DdimScheduler(entry.noiseScheduler);
    const cache = {
      numLayers: entry.contextLayers,
      numAttnHeads: entry.contextHeads,
      headDim: entry.contextHeadDim,
    };
    this.#tower = new CachedTower(cache, async (embeddings, pastKeyValues) => {
      const { encoder_hidden_states, present_key_values } = await graphs.context.run(
        { sentence_embedding: oneSequence(embeddings), past_key_values: pastKeyValues },
        ['encoder_hidden_states', 'present_key_values'],
      );
      return {
        outputs: splitRows(encoder_hidden_states.data, entry.modelDim),
        presentKeyValues: present_key_values,
      };
    });
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
    const window = context.slice(-this.#entry.maxSeqLen).map(normalize);
    const samples = await denoise(
      sampler,
      options,
      context[0]?.length ?? 0,
      async () => {
        const keyValues = await this.#crossKeyValues(window, signal);
        return (step) => this.#predictions(step, keyValues);
      },
      signal,
    );
    return samples.map((sample) => checkPrediction(this.#entry.name, denormalize(sample)));
  }

  async dispose(): Promise<void> {
    this.#tower.dispose();
    this.#forgetCross();
    await this.#graphs.context.dispose();
    await this.#graphs.crossAttention.dispose();
    await this.#graphs.denoiser.dispose();
  }

  /** Runs the denoiser on N latents: N rows with context, and as many without when guided. */
  async #predictions(
    { latents, timestep, isGuided }: DenoisingStep,
    keyValues: CarriedTensor<'float32'>,
  ): Promise<GuidedPredictions> {
    const count = latents.length;
    const rows = isGuided ? [...latents, ...latents] : latents;
    const embeddingDim = rows[0]?.length ?? 0;
    const { prediction } = await this.#graphs.denoiser.run(
      {
        latents: tensor('float32', [rows.length, embeddingDim], concatenate(rows)),
        timestep: tensor(
          'int64',
          [rows.length],
          new BigInt64Array(rows.length).fill(BigInt(timestep)),
        ),
        is_conditional: tensor(
          'float32',
          [rows.length],
          new Float32Array(rows.length).fill(1, 0, count),
        ),
        cross_key_values: keyValues,
      },
      ['prediction'],
    );
    const predictions = splitRows(prediction.data, embeddingDim);
    return { conditional: predictions.slice(0, count), unconditional: predictions.slice(count) };
  }

  /** Returns the keys and values of the context for every denoiser layer, once per context. */
  async #crossKeyValues(
    context: readonly Float32Array[],
    signal?: AbortSignal,
  ): Promise<CarriedTensor<'float32'>> {
    const outputs = await this.#tower.outputs(context, signal);
    if (this.#cross?.outputs === outputs) return this.#cross.keyValues;
    const { cross_key_values } = await this.#graphs.crossAttention.run(
      { encoder_hidden_states: oneSequence(outputs) },
      ['cross_key_values'],
    );
    this.#forgetCross();
    this.#cross = { outputs, keyValues: cross_key_values };
    return cross_key_values;
  }

  #forgetCross(): void {
    if (this.#cross !== null) releaseTensor(this.#cross.keyValues);
    this.#cross = null;
  }
}
