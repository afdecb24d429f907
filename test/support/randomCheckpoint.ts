import { mkdirSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import { elementCount } from '../../server/tensor/tensor.ts';
import { elementBytes, type RandomType, RandomWeights } from './randomWeights.ts';
import type { Shapes } from './tinyShapes.ts';
import { writeTorchCheckpoint } from './torchWriter.ts';

/** A checkpoint that is not written yet. */
export interface Checkpoint {
  type: RandomType;
  shapes: Shapes;
  /** Tensors that share the storage of another, by name. */
  tied?: Readonly<Record<string, string>>;
}

/** Writes a checkpoint of random numbers in torch's container, as fast as the disk takes it. */
export function writeRandomCheckpoint(file: string, { type, shapes, tied = {} }: Checkpoint): void {
  const weights = new RandomWeights(type);
  mkdirSync(dirname(file), { recursive: true });
  const partial = `${file}.partial`;
  const tensors = Object.entries(shapes).map(([name, shape]) => ({
    name,
    dtype: type,
    shape,
    chunks: () => weights.tensor(name, shape),
    tiedTo: tied[name],
  }));
  writeTorchCheckpoint(partial, tensors);
  renameSync(partial, file);
}

/** Returns the bytes of all storages; the file is slightly larger. */
export function checkpointBytes({ type, shapes, tied = {} }: Checkpoint): number {
  return Object.entries(shapes)
    .filter(([name]) => !(name in tied))
    .reduce((sum, [, shape]) => sum + elementCount(shape) * elementBytes[type], 0);
}
