import type { QuantLcmEntry } from '../../model/manifest.ts';
import { Random } from '../../tensor/random.ts';
import { combine } from '../../tensor/vector.ts';
import type { GraphSession, slotLcmSignature } from '../graphSession.ts';
import type { SamplingOptions } from '../inference.ts';
import { type ConceptModel, checkPrediction } from './conceptModel.ts';
import type { Normalizer } from './normalizer.ts';
import type { ResidualQuantizer } from './residualQuantizer.ts';
import { SlotTower } from './slotTower.ts';
import { sampleUnit, type UnitSampling } from './unitSampling.ts';

/**
 * How units are chosen when nobody says: the paper's settings for texts of several sentences.
 * Candidate 0 always takes the best unit, its setting for one sentence.
 *
 * Source: LCM team 2024 (arXiv:2412.08821), section 2.4.1.
 */
const paperSampling: Readonly<Record<QuantLcmEntry['target'], UnitSampling>> = {
  discrete: { temperature: 1, topK: 3 },
  continuous: { temperature: 0.005, topK: 5 },
};

/**
 * Quant-LCM: the next concept is a sum of centroids, chosen codebook by codebook. The slot after
 * the context holds the sum so far.
 *
 * Quant-LCM-d predicts the units of the next codebook, with guidance on their logits. Quant-LCM-c
 * predicts the clean concept x̂; units are chosen by their distance to what is left of it,
 *
 *   p(i) ∝ exp(−‖c_i − r̂‖² / temperature),  r̂ = x̂ − Σ c
 *
 * with guidance on x̂, which is guidance on these logits: −‖c − r_u‖² + w (‖c − r_u‖² − ‖c − r_c‖²)
 * and −‖c − (r_u + w (r_c − r_u))‖² differ by what does not depend on c.
 *
 * Source: our reconstruction of LCM team 2024 (arXiv:2412.08821), section 2.3.4.
 */
export class QuantLcm implements ConceptModel {
  readonly #entry: QuantLcmEntry;
  readonly #normalizer: Normalizer;
  readonly #quantizer: ResidualQuantizer;
  readonly #tower: SlotTower;

  constructor(
    entry: QuantLcmEntry,
    graph: GraphSession<typeof slotLcmSignature>,
    normalizer: Normalizer,
    quantizer: ResidualQuantizer,
  ) {
    this.#entry = entry;
    this.#normalizer = normalizer;
    this.#quantizer = quantizer;
    this.#tower = new SlotTower(entry, graph, quantizer.numCodebooks);
  }

  async predict(
    context: readonly Float32Array[],
    options: SamplingOptions,
    signal?: AbortSignal,
  ): Promise<Float32Array[]> {
    const { normalize, denormalize } = this.#normalizer;
    const { count, seed, guidanceScale } = options;
    const isGuided = this.#entry.trainedWithCfGuidance && guidanceScale !== 1;
    // The slot takes the position after the last concept.
    const window = context.slice(-(this.#entry.maxSeqLen - 1)).map(normalize);
    const run = await this.#tower.readContext(window, signal);

    const randoms = Array.from({ length: count }, (_, i) => new Random(seed, i));
    let sums = randoms.map(() => new Float32Array(context[0]?.length ?? 0));
    for (let codebook = 0; codebook < this.#quantizer.numCodebooks; codebook++) {
      signal?.throwIfAborted();
      const predictions = await run({ slots: sums, condition: codebook, isGuided });
      sums = sums.map((sum, i) => {
        const conditional = predictions.conditional[i] as Float32Array;
        const unconditional = predictions.unconditional[i];
        const prediction =
          unconditional === undefined
            ? conditional
            : combine(guidanceScale, conditional, 1 - guidanceScale, unconditional);
        const logits = this.#logits(codebook, prediction, sum);
        const unit = sampleUnit(logits, this.#sampling(i, options), randoms[i] as Random);
        return new Float32Array(combine(1, sum, 1, this.#quantizer.centroid(codebook, unit)));
      });
    }
    return sums.map((sum) => checkPrediction(this.#entry.name, denormalize(sum)));
  }

  async dispose(): Promise<void> {
    await this.#tower.dispose();
  }

  /** Returns the logits of the units of a codebook, before the temperature. */
  #logits(codebook: number, prediction: Float32Array, sum: Float32Array): Float32Array {
    checkPrediction(this.#entry.name, prediction);
    if (this.#entry.target === 'discrete') return prediction;
    return this.#quantizer.nearness(codebook, combine(1, prediction, -1, sum));
  }

  #sampling(candidate: number, { temperature, topK }: SamplingOptions): UnitSampling {
    const paper = paperSampling[this.#entry.target];
    return {
      temperature: temperature ?? paper.temperature,
      topK: topK ?? (candidate === 0 ? 1 : paper.topK),
    };
  }
}
