/**
 * A small generator of pseudo-random numbers, the same on every platform. Its numbers depend on
 * (seed, stream) only, so that candidate i gets the same noise however many candidates there are.
 *
 * Source: Blackman, Vigna 2021 (arXiv:1805.01407), xoshiro128**; seeded by MurmurHash3's finaliser.
 */
export class Random {
  readonly #state = new Uint32Array(4);
  #spare: number | null = null;

  /** @param stream  numbers the independent sequences of one seed */
  constructor(seed: number, stream = 0) {
    const high = Math.floor(seed / 2 ** 32);
    let hash = mix(mix(mix(seed | 0) ^ high) ^ stream);
    for (let i = 0; i < 4; i++) {
      hash = mix((hash + 0x9e3779b9) | 0); // the golden ratio keeps the state from being all zeros
      this.#state[i] = hash;
    }
  }

  /** Returns a number of the uniform distribution on [0, 1), with 32 random bits. */
  uniform(): number {
    const [s0 = 0, s1 = 0, s2 = 0, s3 = 0] = this.#state;
    const result = Math.imul(rotateLeft(Math.imul(s1, 5), 7), 9) >>> 0;
    const t = s2 ^ s0;
    const u = s3 ^ s1;
    this.#state[0] = s0 ^ u;
    this.#state[1] = s1 ^ t;
    this.#state[2] = t ^ (s1 << 9);
    this.#state[3] = rotateLeft(u, 11);
    return result / 2 ** 32;
  }

  /**
   * Returns a number of the standard normal distribution.
   *
   *   √(−2 ln u) cos 2πv  and  √(−2 ln u) sin 2πv,  u ∈ (0, 1], v ∈ [0, 1)
   *
   * Source: Box, Muller 1958.
   */
  gaussian(): number {
    if (this.#spare !== null) {
      const spare = this.#spare;
      this.#spare = null;
      return spare;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    const angle = 2 * Math.PI * this.uniform();
    this.#spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  /** Returns `length` numbers of the standard normal distribution. */
  gaussians(length: number): Float32Array {
    return Float32Array.from({ length }, () => this.gaussian());
  }
}

function rotateLeft(x: number, bits: number): number {
  return (x << bits) | (x >>> (32 - bits));
}

function mix(x: number): number {
  let h = x ^ (x >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}
