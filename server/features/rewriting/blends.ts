import type { Random } from '../../tensor/random.ts';
import { combine, dot, norm, scale } from '../../tensor/vector.ts';

/*
 * Concepts made of concepts, in the space in which they are compared. What a decoder has learnt to
 * write lies near a sphere, so every blend is brought back to the length that concepts have there.
 *
 *   x, y — concepts of the space, [E]      r — the length that is wanted
 */

/** Returns the mean length of concepts. */
export function typicalNorm(concepts: readonly Float32Array[]): number {
  const sum = concepts.reduce((total, concept) => total + norm(concept), 0);
  return concepts.length === 0 ? 0 : sum / concepts.length;
}

/** Returns x, r long; zero stays as it is. */
export function ofLength(x: Float32Array, r: number): Float32Array {
  const length = norm(x);
  return length === 0 ? x : scale(r / length, x);
}

/**
 * Returns the weighted centre of concepts, by their directions alone.
 *
 *   r · c / ‖c‖,  c = Σ w_i x_i / ‖x_i‖
 *
 * @param concepts  at least one
 * @param weights   one for each
 */
export function centreOf(
  concepts: readonly Float32Array[],
  weights: readonly number[],
  r: number,
): Float32Array {
  const sum = concepts
    .map((concept, i) => ofLength(concept, weights[i] ?? 0))
    .reduce((total, concept) => combine(1, total, 1, concept));
  return ofLength(sum, r);
}

/** Returns what is between x (t = 0) and y (t = 1), r long. */
export function between(x: Float32Array, y: Float32Array, t: number, r: number): Float32Array {
  return centreOf([x, y], [1 - t, t], r);
}

/**
 * Returns a concept at a given cosine to x and as long, in a random direction off it.
 *
 *   ‖x‖ (cos x̂ + √(1 − cos²) ê),  e = g − (g · x̂) x̂,  g ~ N(0, I)
 */
export function besides(x: Float32Array, cos: number, random: Random): Float32Array {
  const length = norm(x);
  const direction = ofLength(x, 1);
  const noise = random.gaussians(x.length);
  const off = ofLength(combine(1, noise, -dot(noise, direction), direction), 1);
  return combine(length * cos, direction, length * Math.sqrt(1 - cos ** 2), off);
}
