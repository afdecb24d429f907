import { existsSync } from 'node:fs';
import type { ModelSources } from '../../server/model/modelSources.ts';
import type { ModelCompiler } from '../../server/store/modelCompiler.ts';
import { writeTinyAddOnFolder, writeTinyModelFolder } from './tinyManifest.ts';

/** Writes folders instead of compiling, and remembers from what. */
export class FakeCompiler implements ModelCompiler {
  readonly compiled: ModelSources[] = [];
  readonly #digest: string;

  /** @param digest  of whatever is compiled */
  constructor(digest: string) {
    this.#digest = digest;
  }

  async sourceDigest(): Promise<string> {
    return this.#digest;
  }

  async compile(...[request, { onProgress, signal }]: Parameters<ModelCompiler['compile']>) {
    signal?.throwIfAborted();
    const { outDir, ...sources } = request;
    const { encoder, decoder, tokenizer, lcms, space, name } = sources;
    for (const file of [encoder, decoder, tokenizer, ...Object.values(lcms)]) {
      if (file !== undefined && !existsSync(file)) throw new Error(`${file} is not there`);
    }
    this.compiled.push(sources);
    onProgress?.(1, 'encoder');
    const said = {
      sourceDigest: this.#digest,
      ...(space === undefined ? {} : { space }),
      ...(name === undefined ? {} : { name }),
    };
    if (encoder !== undefined) return writeTinyModelFolder(outDir, said);
    return writeTinyAddOnFolder(outDir, Object.keys(lcms)[0] ?? 'none', said);
  }
}
