import { assert } from '../../base/errors.ts';
import { combine, dot } from '../../tensor/vector.ts';

/*
 *   x — a concept in the quantiser's space          c_k^i — unit i of codebook k
 *   r_k = x − Σ_{j < k} c_j — what codebook k has to explain
 */

/**
 * Residual quantiser: a concept is the sum of one centroid from each codebook.
 *
 *   x ≈ Σ_k c_k
 *
 * Source: LCM team 2024 (arXiv:2412.08821), section 2.3.4; Zeghidour et al. 2021
 * (arXiv:2107.03312), algorithm 1.
 */
export class ResidualQuantizer {
  /** Codebook after codebook, each [codebookSize, E]. */
  readonly #codebooks: readonly Float32Array[];
  readonly #embeddingDim: number;
  /** ‖c‖² of every unit, computed when a codebook is first searched. */
  readonly #squaredNorms = new Map<number, Float32Array>();

  constructor(codebooks: readonly Float32Array[], embeddingDim: number) {
    this.#codebooks = codebooks;
    this.#embeddingDim = embeddingDim;
  }

  get numCodebooks(): number {
    return this.#codebooks.length;
  }

  /** Returns c_k^i, [E]. */
  centroid(codebook: number, unit: number): Float32Array {
    const start = unit * this.#embeddingDim;
    return this.#codebook(codebook).subarray(start, start + this.#embeddingDim);
  }

  /**
   * Returns −‖c_k^i − r‖² + ‖r‖² = 2 c_k^i · r − ‖c_k^i‖² for every unit: what does not depend on
   * the unit changes neither their order nor a softmax.
   *
   * @param residual  r, [E]
   */
  nearness(codebook: number, residual: Float32Array): Float32Array {
    return this.#norms(codebook).map(
      (squaredNorm, unit) => 2 * dot(this.centroid(codebook, unit), residual) - squaredNorm,
    );
  }

  /** Chooses the nearest unit of each codebook in turn: [E] → [numCodebooks]. */
  encode(x: Float32Array): number[] {
    let residual = x;
    return this.#codebooks.map((_, codebook) => {
      const nearness = this.nearness(codebook, residual);
      const unit = nearness.indexOf(nearness.reduce((a, b) => Math.max(a, b)));
      residual = combine(1, residual, -1, this.centroid(codebook, unit));
      return unit;
    });
  }

  /** Returns Σ_k c_k for the units of the first codebooks, [E]. */
  decode(units: readonly number[]): Float32Array {
    return units.reduce<Float32Array>(
      (sum, unit, codebook) => combine(1, sum, 1, this.centroid(codebook, unit)),
      new Float32Array(this.#embeddingDim),
    );
  }

  #codebook(codebook: number): Float32Array {
    const found = this.#codebooks[codebook];
    assert(found !== undefined, `codebook ${codebook} of ${this.numCodebooks}`);
    return found;
  }

  #norms(codebook: number): Float32Array {
    const known = this.#squaredNorms.get(codebook);
    if (known !== undefined) return known;
    const codebookSize = this.#codebook(codebook).length / this.#embeddingDim;
    const norms = Float32Array.from({ length: codebookSize }, (_, unit) => {
      const centroid = this.centroid(codebook, unit);
      return dot(centroid, centroid);
    });
    this.#squaredNorms.set(codebook, norms);
    return norms;
  }
}
