import type { Precision } from '../model/manifest.ts';
import type { CatalogueEntry, CatalogueFile } from './catalogue.ts';

/*
 * What a model will need, before a byte of it is here. Downloads are as long as their hosts say;
 * the rest follows from the number of parameters.
 */

/** Bytes of one number; int4 has a float32 scale for each block of 32. Norms and biases are few. */
const bytesOfOne: Readonly<Record<Precision, number>> = {
  fp32: 4,
  fp16: 2,
  int8: 1,
  int4: 0.5 + 4 / 32,
};

/** ONNX Runtime, the program itself, and the activations of one request. */
const processBytes = 300_000_000;

/** Returns the size of a compiled model on disk: graphs are small beside their weights. */
export function compiledBytes(parameters: number, precision: Precision): number {
  return Math.round(parameters * bytesOfOne[precision]);
}

/** Returns the memory that a loaded model takes: its weights once; a model also brings a process. */
export function memoryBytes({ kind, parameters }: CatalogueEntry, precision: Precision): number {
  return compiledBytes(parameters, precision) + (kind === 'model' ? processBytes : 0);
}

/** Returns what files have in bytes, as far as it is known or estimated. */
export function downloadBytes(files: readonly CatalogueFile[]): number {
  return files.reduce((total, { length }) => total + length.bytes, 0);
}
