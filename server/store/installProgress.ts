import type { Precision } from '../model/manifest.ts';
import type { CatalogueEntry, CatalogueFile } from './catalogue.ts';
import { compiledBytes, downloadBytes } from './estimate.ts';
import type { OnProgress } from './modelCompiler.ts';

/** Sizes are reckoned with this precision when the compiler chooses. */
const usualPrecision: Precision = 'int8';

/** One entry of the catalogue on its way. */
export interface Job {
  entry: CatalogueEntry;
  /** Of linear layers; null leaves it to the compiler. */
  precision: Precision | null;
  /** Of the model that comes of it. */
  name: string;
}

/** Returns a size for a person. */
export function gigabytes(bytes: number): string {
  return bytes < 1e8 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}

/** Returns about how large the compiled model will be. */
export function jobBytes({ entry, precision }: Job): number {
  return compiledBytes(entry.parameters, precision ?? usualPrecision);
}

/** How far an install is: a byte to download and a byte to compile count alike. */
export class InstallProgress {
  readonly #totalBytes: number;
  readonly #onProgress: OnProgress | undefined;
  #doneBytes = 0;

  constructor(jobs: readonly Job[], onProgress: OnProgress | undefined) {
    this.#totalBytes = jobs.reduce(
      (total, job) => total + downloadBytes(job.entry.files) + jobBytes(job),
      0,
    );
    this.#onProgress = onProgress;
  }

  /** @returns what to call with the bytes that have come, and at the end */
  file({ title }: CatalogueEntry, { name, length }: CatalogueFile) {
    const at = (bytes: number) => {
      const label = `${title}: ${name}, ${gigabytes(bytes)} of ${gigabytes(length.bytes)}`;
      this.#tell(Math.min(bytes, length.bytes), label);
    };
    return { at, end: () => this.#end(length.bytes) };
  }

  /** @returns what to call with the fraction that is compiled, and at the end */
  compile(entry: CatalogueEntry, precision: Precision | null) {
    const bytes = jobBytes({ entry, precision, name: '' });
    const at = (fraction: number, label: string) =>
      this.#tell(fraction * bytes, `${entry.title}: compiling ${label}`);
    at(0, '');
    return { at, end: () => this.#end(bytes) };
  }

  #tell(bytes: number, label: string): void {
    this.#onProgress?.(Math.min(1, (this.#doneBytes + bytes) / this.#totalBytes), label);
  }

  #end(bytes: number): void {
    this.#doneBytes += bytes;
  }
}
