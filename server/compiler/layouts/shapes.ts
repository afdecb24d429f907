import { WeightMismatchError } from '../../base/errors.ts';
import type { WeightSource } from '../onnx/weights.ts';

/**
 * Returns the shape of a tensor that every checkpoint of the kind has.
 *
 * @throws WeightMismatchError when it is missing or has another number of dimensions
 */
export function shapeOf(weights: WeightSource, name: string, rank: 1): [number];
export function shapeOf(weights: WeightSource, name: string, rank: 2): [number, number];
export function shapeOf(weights: WeightSource, name: string, rank: 3): [number, number, number];
export function shapeOf(weights: WeightSource, name: string, rank: number): number[] {
  const shape = weights.has(name) ? weights.shape(name) : null;
  if (shape?.length === rank) return [...shape];
  const key = weights.key?.(name) ?? name;
  throw new WeightMismatchError(
    `${weights.label}: ${key === name ? name : `${key} (${name})`}: expected ${rank} dimensions, ` +
      `found ${shape ? `[${shape.join(', ')}]` : 'no such key'}`,
  );
}

/** Returns how many layers there are, from 0 on, below a name. */
export function layerCount(weights: WeightSource, layers: string): number {
  const prefix = `${layers}.`;
  const indices = weights
    .names()
    .filter((name) => name.startsWith(prefix))
    .map((name) => Number.parseInt(name.slice(prefix.length), 10));
  return Math.max(0, ...indices.filter(Number.isInteger).map((index) => index + 1));
}
