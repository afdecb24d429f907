import type { BaseLcmEntry } from '../../model/manifest.ts';
import { Random } from '../../tensor/random.ts';
import { combine, splitRows } from '../../tensor/vector.ts';
import type { baseLcmSignature, GraphSession } from '../graphSession.ts';
import type { SamplingOptions } from '../inference.ts';
import { CachedTower, oneSequence } from './cachedTower.ts';
import { type ConceptModel, checkPrediction } from './conceptModel.ts';
import type { Normalizer } from './normalizer.ts';

/**
 * Deviation of a further candidate's noise for `initialNoiseScale` 1, in normalised space, where
 * concepts have deviation 1. The reference's own temperature of 1 drowns the prediction in noise.
 */
const candidateNoise = 0.5;

/**
 * Base-LCM: one causal Transformer that predicts the next concept directly. Candidate 0 is the
 * prediction itself; the others are it plus Gaussian noise, so that there is something to choose.
 *
 * Source: LCM team 2024 (arXiv:2412.08821), section 2.3.1;
 * reference: BaseLCModel.predict_next_sentence.
 */
export class BaseLcm implements ConceptModel {
  readonly #entry: BaseLcmEntry;
  readonly #graph: GraphSession<typeof baseLcmSignature>;
  readonly #normalizer: Normalizer;
  readonly #tower: CachedTower;

  constructor(
    entry: BaseLcmEntry,
    graph: GraphSession<typeof baseLcmSignature>,
    normalizer: Normalizer,
  ) {
    this.#entry = entry;
    this.#graph = graph;
    this.#normalizer = normalizer;
    this.#tower = new CachedTower(entry, async (embeddings, pastKeyValues) => {
      const sequence = oneSequence(embeddings); // [1, S, E]
      const { next_embedding, present_key_values } = await graph.run(
        { sentence_embedding: sequence, past_key_values: pastKeyValues },
        ['next_embedding', 'present_key_values'],
      );
      return {
        outputs: splitRows(next_embedding.data, sequence.shape[2] as number),
        presentKeyValues: present_key_values,
      };
    });
  }

  async predict(
    context: readonly Float32Array[],
    { count, seed, initialNoiseScale }: SamplingOptions,
    signal?: AbortSignal,
  ): Promise<Float32Array[]> {
    const { normalize, denormalize } = this.#normalizer;
    const normalized = context.slice(-this.#entry.maxSeqLen).map(normalize);
    const outputs = await this.#tower.outputs(normalized, signal);
    const prediction = outputs.at(-1) as Float32Array; // the context is not empty
    return Array.from({ length: count }, (_, i) => {
      const deviation = i === 0 ? 0 : candidateNoise * initialNoiseScale;
      const noise = new Random(seed, i).gaussians(prediction.length);
      const candidate = combine(1, prediction, deviation, noise);
      return checkPrediction(this.#entry.name, denormalize(candidate));
    });
  }

  async dispose(): Promise<void> {
    this.#tower.dispose();
    await this.#graph.dispose();
  }
}
