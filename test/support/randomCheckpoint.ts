import { closeSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { elementCount } from '../../server/tensor/tensor.ts';
import { type RandomType, RandomWeights } from './randomWeights.ts';
import type { Shapes } from './tinyModels.ts';

/** A checkpoint that is not written yet. */
export interface Checkpoint {
  type: RandomType;
  shapes: Shapes;
}

/** Writes a checkpoint of random numbers as fast as the disk takes it. */
export function writeRandomCheckpoint(file: string, { type, shapes }: Checkpoint): void {
  const weights = new RandomWeights(type);
  mkdirSync(dirname(file), { recursive: true });
  const partial = `${file}.partial`;
  const descriptor = openSync(partial, 'w');
  try {
    writeAll(descriptor, safetensorsHeader({ type, shapes }));
    for (const [name, shape] of Object.entries(shapes)) {
      for (const chunk of weights.tensor(name, shape)) writeAll(descriptor, chunk);
    }
  } finally {
    closeSync(descriptor);
  }
  renameSync(partial, file);
}

/** Returns the size of the file. */
export function checkpointBytes(checkpoint: Checkpoint): number {
  const { type, shapes } = checkpoint;
  const numbers = Object.values(shapes).reduce((sum, shape) => sum + elementCount(shape), 0);
  return safetensorsHeader(checkpoint).length + numbers * (type === 'float32' ? 4 : 2);
}

function safetensorsHeader({ type, shapes }: Checkpoint): Uint8Array {
  const dtype = type === 'float32' ? 'F32' : 'F16';
  const elementBytes = type === 'float32' ? 4 : 2;
  const entries: Record<string, unknown> = {};
  let position = 0;
  for (const [name, shape] of Object.entries(shapes)) {
    const end = position + elementCount(shape) * elementBytes;
    entries[name] = { dtype, shape, data_offsets: [position, end] };
    position = end;
  }
  const header = Buffer.from(JSON.stringify(entries));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header]);
}

function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) {
    done += writeSync(descriptor, bytes, done, bytes.length - done);
  }
}
