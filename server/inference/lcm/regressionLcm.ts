import type { RegressionLcmEntry } from '../../model/manifest.ts';
import { Random } from '../../tensor/random.ts';
import { combine, splitRows, standardDeviation } from '../../tensor/vector.ts';
import type { GraphSession, regressionLcmSignature } from '../graphSession.ts';
import type { SamplingOptions } from '../inference.ts';
import { CachedTower, oneSequence } from './cachedTower.ts';
import { type ConceptModel, checkPrediction } from './conceptModel.ts';
import { identityNormalizer, type Normalizer } from './normalizer.ts';

/**
 * Deviation of a further candidate's noise for `initialNoiseScale` 1, where concepts have
 * deviation 1. The reference's own temperature of 1 drowns the prediction in noise.
 */
const candidateNoise = 0.5;

/**
 * Base-LCM and SONAR-LLM: one causal Transformer that predicts the next concept directly. What
 * they differ in is the graph and how it was trained.
 *
 * Candidate 0 is the prediction itself; the others are it plus Gaussian noise, so that there is
 * something to choose. In normalised space the noise is measured by the deviation of concepts,
 * which is 1; without a normaliser by that of the prediction's own elements.
 *
 * Source: LCM team 2024 (arXiv:2412.08821), section 2.3.1; Dragunov et al. 2025
 * (arXiv:2508.05305), section 3. reference: BaseLCModel.predict_next_sentence
 */
export class RegressionLcm implements ConceptModel {
  readonly #entry: RegressionLcmEntry;
  readonly #graph: GraphSession<typeof regressionLcmSignature>;
  readonly #normalizer: Normalizer;
  readonly #tower: CachedTower;

  constructor(
    entry: RegressionLcmEntry,
    graph: GraphSession<typeof regressionLcmSignature>,
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
    const unit = this.#normalizer === identityNormalizer ? standardDeviation(prediction) : 1;
    return Array.from({ length: count }, (_, i) => {
      const deviation = i === 0 ? 0 : candidateNoise * initialNoiseScale * unit;
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
