import {
  cosine,
  dot,
  norm,
  scale,
  standardize,
  unstandardize,
} from '../../server/tensor/vector.ts';

/*
 * What can be said of a set of concepts, [E] each, and of two of them.
 * training/evaluation/geometry.py is the same in Python.
 */

export type Vectors = readonly Float32Array[];

export function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
}

/** The centre and the deviations of a set of real concepts, the same for all models. */
export class Standard {
  readonly center: Float32Array;
  readonly deviation: Float32Array;

  constructor(embeddings: Vectors) {
    const dimension = embeddings[0]?.length ?? 0;
    const column = (i: number) => embeddings.map((x) => x[i] ?? 0);
    this.center = Float32Array.from({ length: dimension }, (_, i) => mean(column(i)));
    this.deviation = Float32Array.from({ length: dimension }, (_, i) => {
      const squares = column(i).reduce((sum, x) => sum + (x - (this.center[i] ?? 0)) ** 2, 0);
      return Math.sqrt(squares / (embeddings.length - 1));
    });
  }

  apply(x: Float32Array): Float32Array {
    return standardize(x, this.center, this.deviation);
  }

  undo(x: Float32Array): Float32Array {
    return unstandardize(x, this.center, this.deviation);
  }

  centred(x: Float32Array): Float32Array {
    return subtract(x, this.center);
  }

  /** Returns the cosine after centring; a large common part would make all of them 1. */
  cosine(x: Float32Array, y: Float32Array): number {
    return cosine(this.centred(x), this.centred(y));
  }
}

export function subtract(x: Float32Array, y: Float32Array): Float32Array {
  return x.map((value, i) => value - (y[i] ?? 0));
}

/** Returns ‖x − y‖, without a vector in between: there are hundreds of thousands of pairs. */
export function distance(x: Float32Array, y: Float32Array): number {
  let squares = 0;
  for (let i = 0; i < x.length; i++) squares += ((x[i] ?? 0) - (y[i] ?? 0)) ** 2;
  return Math.sqrt(squares);
}

function units(vectors: Vectors): Float32Array[] {
  return vectors.map((x) => scale(1 / (norm(x) || 1), x));
}

/** Returns the cosines of every row with every column, [N][M]. */
export function cosines(rows: Vectors, columns: Vectors): Float64Array[] {
  const unitColumns = units(columns);
  return units(rows).map((x) => Float64Array.from(unitColumns, (y) => dot(x, y)));
}

/** Returns the cosines of all pairs of different vectors. */
export function pairCosines(vectors: Vectors): number[] {
  return cosines(vectors, vectors).flatMap((row, i) => [...row.slice(0, i), ...row.slice(i + 1)]);
}

/**
 * Returns log E exp(−2 ‖x − y‖²) over pairs on the sphere, by their cosines; lower is more even.
 *
 * Source: Wang, Isola 2020 (arXiv:2005.10242), equation 3, t = 2.
 */
export function uniformity(pairs: readonly number[]): number {
  return Math.log(mean(pairs.map((c) => Math.exp(-2 * (2 - 2 * c)))));
}

/** Returns the share of queries whose nearest candidate by cosine is not the one of the same row. */
export function retrievalError(queries: Vectors, candidates: Vectors): number {
  const found = cosines(queries, candidates);
  return mean(found.map((row, i) => (row.indexOf(Math.max(...row)) === i ? 0 : 1)));
}

/** Returns how often a number of `near` is above one of `far`; ties count half. */
export function separation(near: readonly number[], far: readonly number[]): number {
  const shares = near.map((a) => mean(far.map((b) => (a > b ? 1 : a === b ? 0.5 : 0))));
  return mean(shares);
}

/**
 * Returns the share of the batch that is further from the prediction than the truth is. Neighbours
 * of the truth in its document (±1) do not count.
 *
 * Source: LCM team 2024 (arXiv:2412.08821), section 2.4.1.
 *
 * @param position  numbers the concepts, with a gap between documents
 */
export function contrastiveAccuracy(
  predicted: Vectors,
  target: Vectors,
  position: readonly number[],
): number {
  let further = 0;
  let counted = 0;
  for (const [i, guess] of predicted.entries()) {
    const own = distance(guess, target[i] ?? guess);
    for (const [j, other] of target.entries()) {
      if (Math.abs((position[i] ?? 0) - (position[j] ?? 0)) <= 1) continue;
      counted++;
      if (distance(guess, other) > own) further++;
    }
  }
  return further / counted;
}
