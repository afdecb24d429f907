import { sigmoid } from '../../server/features/confidence.ts';
import { mean } from './geometry.ts';

/*
 * Logistic regression by Newton's method, and how good the probabilities are that it gives.
 *
 *   p = σ(b + w · x),   minimised: − Σ log-likelihood + λ/2 ‖w‖², of standardised x
 */

/** One example: its values, and whether it is so. */
export interface Example {
  values: readonly number[];
  isSo: boolean;
}

export interface Logistic {
  bias: number;
  /** One for each value, as it stands. */
  weights: readonly number[];
}

/** λ: some thousand examples outweigh it; it keeps weights of values that go together small. */
const penalty = 5;
const numSteps = 30;

export function fitLogistic(examples: readonly Example[]): Logistic {
  const numValues = examples[0]?.values.length ?? 0;
  const columns = Array.from({ length: numValues }, (_, i) =>
    examples.map(({ values }) => values[i] ?? 0),
  );
  const centers = columns.map(mean);
  const scales = columns.map((column, i) => {
    const variance = mean(column.map((x) => (x - (centers[i] ?? 0)) ** 2));
    return Math.sqrt(variance) || 1;
  });
  // The first value is the constant that the bias belongs to.
  const rows = examples.map(({ values }) => [
    1,
    ...values.map((x, i) => (x - (centers[i] ?? 0)) / (scales[i] ?? 1)),
  ]);
  let fitted = new Array<number>(numValues + 1).fill(0);
  for (let step = 0; step < numSteps; step++) fitted = newtonStep(rows, examples, fitted);
  const [constant = 0, ...standardised] = fitted;
  const weights = standardised.map((weight, i) => weight / (scales[i] ?? 1));
  const shift = weights.reduce((sum, weight, i) => sum + weight * (centers[i] ?? 0), 0);
  return { bias: constant - shift, weights };
}

/** w − H⁻¹ g */
function newtonStep(
  rows: readonly (readonly number[])[],
  examples: readonly Example[],
  fitted: readonly number[],
): number[] {
  const size = fitted.length;
  const gradient = fitted.map((weight, i) => (i === 0 ? 0 : penalty * weight));
  const hessian = fitted.map((_, i) =>
    Array.from({ length: size }, (_, j): number => (i === j && i > 0 ? penalty : 0)),
  );
  for (const [n, row] of rows.entries()) {
    const p = sigmoid(row.reduce((sum, x, i) => sum + x * (fitted[i] ?? 0), 0));
    const error = p - Number(examples[n]?.isSo);
    for (let i = 0; i < size; i++) {
      gradient[i] = (gradient[i] ?? 0) + error * (row[i] ?? 0);
      const line = hessian[i] ?? [];
      for (let j = 0; j < size; j++) {
        line[j] = (line[j] ?? 0) + p * (1 - p) * (row[i] ?? 0) * (row[j] ?? 0);
      }
    }
  }
  const move = solve(hessian, gradient);
  return fitted.map((weight, i) => weight - (move[i] ?? 0));
}

/** Solves A x = b for a positive definite A, by elimination. */
function solve(a: readonly (readonly number[])[], b: readonly number[]): number[] {
  const rows = a.map((row, i) => [...row, b[i] ?? 0]);
  const size = rows.length;
  for (const [i, pivot] of rows.entries()) {
    for (const [j, row] of rows.entries()) {
      if (j === i) continue;
      const factor = (row[i] ?? 0) / (pivot[i] ?? 1);
      for (let k = i; k <= size; k++) row[k] = (row[k] ?? 0) - factor * (pivot[k] ?? 0);
    }
  }
  return rows.map((row, i) => (row[size] ?? 0) / (row[i] ?? 1));
}

/** Groups of examples, of equal size, by their probability. */
const numGroups = 10;

/**
 * Returns the expected calibration error: how far the mean probability of a group is from the share
 * of it that is so, on average.
 *
 * Source: Guo et al. 2017 (arXiv:1706.04599), equation 3, with groups of equal size.
 */
export function calibrationError(judged: readonly { p: number; isSo: boolean }[]): number {
  const sorted = judged.toSorted((a, b) => a.p - b.p);
  let error = 0;
  for (let group = 0; group < numGroups; group++) {
    const start = Math.floor((group * sorted.length) / numGroups);
    const part = sorted.slice(start, Math.floor(((group + 1) * sorted.length) / numGroups));
    if (part.length === 0) continue;
    const share = mean(part.map(({ isSo }) => Number(isSo)));
    error += Math.abs(mean(part.map(({ p }) => p)) - share) * part.length;
  }
  return error / sorted.length;
}
