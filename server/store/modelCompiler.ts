import type { DeviceChoice } from '../model/device.ts';
import type { Manifest } from '../model/manifest.ts';
import type { ModelSources } from '../model/modelSources.ts';

/** @param fraction  0 to 1 */
export type OnProgress = (fraction: number, label: string) => void;

export interface PrepareOptions {
  /** What will run the model: the built-in one is compiled for it. */
  device?: DeviceChoice | undefined;
  onProgress?: OnProgress | undefined;
  signal?: AbortSignal | undefined;
}

/** What the store asks of the compiler. */
export interface ModelCompiler {
  /** Equal digests mean equal models; see `Manifest.sourceDigest`. */
  sourceDigest(sources: ModelSources, signal?: AbortSignal): Promise<string>;
  /** Writes a model folder. A folder that appears is complete. */
  compile(sources: ModelSources & { outDir: string }, options: PrepareOptions): Promise<Manifest>;
}
