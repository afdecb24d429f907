import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ConceptError, ModelMissingError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { Manifest } from '../model/manifest.ts';
import type { ModelSources } from '../model/modelSources.ts';
import { manifestFiles } from '../model/parseManifest.ts';
import { fileSize, openModelFolder, verifyModelFolder } from './modelFolder.ts';

/** @param fraction  0 to 1 */
export type OnProgress = (fraction: number, label: string) => void;

export interface PrepareOptions {
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

/** A model of this machine, as a list shows it. */
export interface InstalledModel {
  /** As `prepare` takes it. */
  name: string;
  /** Of the compiled model; of the checkpoints while it is not prepared. */
  folder: string;
  isBuiltIn: boolean;
  state: 'ready' | 'unprepared' | 'damaged';
  sizeBytes: number;
  conceptModels: readonly string[];
}

/** Where models live, and what compiles them. */
export interface ModelStoreParts {
  /** Name of the built-in model. */
  builtInName: string;
  /** Its checkpoints: encoder, decoder and concept models as .safetensors, tokenizer, config. */
  checkpointFolder: string;
  /** A copy of it that was compiled when the product was built, if there is one. */
  prebuiltFolder: string;
  /** Compiled models, each in a folder. */
  storageFolder: string;
  compiler: ModelCompiler;
  logger: Logger;
}

type BuiltInSources = ModelSources & Record<'encoder' | 'decoder', string>;

/** Letters of the digest in a folder's name: enough to tell the versions of one model apart. */
const digestLetters = 12;

const checkpointSuffix = '.safetensors';

/**
 * The models of this machine. The built-in model is compiled when it is first asked for; its
 * folder bears the digest of its sources, so that a new version never replaces one in use.
 */
export class ModelStore {
  readonly #parts: ModelStoreParts;

  constructor(parts: ModelStoreParts) {
    this.#parts = parts;
  }

  /** Returns the models of this machine, the built-in one first. */
  async list(): Promise<InstalledModel[]> {
    const { storageFolder, builtInName } = this.#parts;
    const models: InstalledModel[] = [];
    for (const name of await entriesOf(storageFolder)) {
      if (name.startsWith('.') || name.startsWith(`${builtInName}-`)) continue;
      const model = await describeFolder(join(storageFolder, name), name);
      if (model !== null) models.push(model);
    }
    const builtIn = await this.#describeBuiltIn();
    return builtIn === null ? models : [builtIn, ...models];
  }

  /**
   * Returns the folder of a compiled model, compiling the built-in one if needed.
   *
   * @param nameOrFolder  a name of the list or a model folder; empty means the built-in model
   * @throws ModelMissingError when there is no such model
   * @throws IntegrityError when it is damaged
   */
  async prepare(nameOrFolder: string, options: PrepareOptions = {}): Promise<string> {
    const { builtInName } = this.#parts;
    if (nameOrFolder === '' || nameOrFolder === builtInName) return this.prepareBuiltIn(options);
    return this.resolve(nameOrFolder);
  }

  /**
   * Returns the folder of a compiled model.
   *
   * @param nameOrFolder  a name in the storage, or a model folder
   * @throws ModelMissingError when there is no such model
   * @throws IntegrityError when it is damaged
   */
  async resolve(nameOrFolder: string): Promise<string> {
    const names = await entriesOf(this.#parts.storageFolder);
    const folder = names.includes(nameOrFolder)
      ? join(this.#parts.storageFolder, nameOrFolder)
      : nameOrFolder;
    await openModelFolder(folder);
    return folder;
  }

  /**
   * Returns the folder of the built-in model, compiling it when no intact copy of the same
   * sources exists. Two processes may do so at once: whoever comes second takes the first's.
   *
   * @throws ModelMissingError when its checkpoints are not there
   */
  async prepareBuiltIn(options: PrepareOptions = {}): Promise<string> {
    const { prebuiltFolder, compiler, logger } = this.#parts;
    const sources = await this.#builtInSources();
    const prebuilt = await this.#openIntact(prebuiltFolder);
    if ('missing' in sources) {
      if (prebuilt) return prebuiltFolder;
      throw new ModelMissingError(`${sources.missing}: expected a checkpoint, found no file`);
    }
    const digest = await compiler.sourceDigest(sources, options.signal);
    if (prebuilt?.sourceDigest === digest) return prebuiltFolder;
    const outDir = this.#builtInFolder(digest);
    if ((await this.#openIntact(outDir))?.sourceDigest === digest) return outDir;
    await rm(outDir, { recursive: true, force: true }); // ours, and damaged if it is there
    await mkdir(this.#parts.storageFolder, { recursive: true });
    logger.info(`preparing ${outDir}`);
    await compiler.compile({ ...sources, outDir }, options);
    await openModelFolder(outDir);
    return outDir;
  }

  /**
   * Compares every byte of a compiled model with its manifest.
   *
   * @throws ModelMissingError, IntegrityError
   */
  async verify(nameOrFolder: string, signal?: AbortSignal): Promise<void> {
    await verifyModelFolder(await this.prepare(nameOrFolder, { signal }), signal);
  }

  #builtInFolder(digest: string): string {
    const { builtInName, storageFolder } = this.#parts;
    return join(storageFolder, `${builtInName}-${digest.slice(0, digestLetters)}`);
  }

  /** Returns the files of the built-in model, or the first of them that is missing. */
  async #builtInSources(): Promise<BuiltInSources | { missing: string }> {
    const { checkpointFolder } = this.#parts;
    const at = (file: string) => join(checkpointFolder, file);
    const sources = {
      encoder: at(`encoder${checkpointSuffix}`),
      decoder: at(`decoder${checkpointSuffix}`),
      tokenizer: at('tokenizer.model'),
      config: at('config.json'),
      precision: 'int8' as const,
    };
    for (const file of [sources.encoder, sources.decoder, sources.tokenizer, sources.config]) {
      if ((await fileSize(file)) === null) return { missing: file };
    }
    const names = (await entriesOf(checkpointFolder))
      .filter((file) => file.endsWith(checkpointSuffix))
      .map((file) => file.slice(0, -checkpointSuffix.length))
      .filter((name) => name !== 'encoder' && name !== 'decoder');
    const lcms = Object.fromEntries(names.map((name) => [name, at(`${name}${checkpointSuffix}`)]));
    return { ...sources, lcms };
  }

  /** Returns the manifest of a folder that could be used, or null: then it is made again. */
  async #openIntact(folder: string): Promise<Manifest | null> {
    try {
      return await openModelFolder(folder);
    } catch (error) {
      if (!(error instanceof ConceptError)) throw error;
      if (error.code !== 'modelMissing') this.#parts.logger.warn(error.message);
      return null;
    }
  }

  async #describeBuiltIn(): Promise<InstalledModel | null> {
    const { builtInName, checkpointFolder, prebuiltFolder, compiler } = this.#parts;
    const sources = await this.#builtInSources();
    const candidates = [prebuiltFolder];
    if (!('missing' in sources)) {
      candidates.push(this.#builtInFolder(await compiler.sourceDigest(sources)));
    }
    for (const folder of candidates) {
      const model = await describeFolder(folder, builtInName);
      if (model?.state === 'ready') return { ...model, isBuiltIn: true };
    }
    if ('missing' in sources) return null;
    const lcms = Object.entries(sources.lcms);
    const files = [sources.encoder, sources.decoder, ...lcms.map(([, file]) => file)];
    return {
      name: builtInName,
      folder: checkpointFolder,
      isBuiltIn: true,
      state: 'unprepared',
      sizeBytes: sum(await Promise.all(files.map(async (file) => (await fileSize(file)) ?? 0))),
      conceptModels: lcms.map(([name]) => name),
    };
  }
}

/** Returns what is in a folder, or null when it is not a model. */
async function describeFolder(folder: string, name: string): Promise<InstalledModel | null> {
  const model = { name, folder, isBuiltIn: false };
  try {
    const manifest = await openModelFolder(folder);
    return {
      ...model,
      state: 'ready',
      sizeBytes: sum(manifestFiles(manifest).map(({ sizeBytes }) => sizeBytes)),
      conceptModels: manifest.conceptModels.map((entry) => entry.name),
    };
  } catch (error) {
    if (!(error instanceof ConceptError)) throw error;
    if (error.code === 'modelMissing') return null;
    return { ...model, state: 'damaged', sizeBytes: 0, conceptModels: [] };
  }
}

/** Returns the names in a folder in order; none when there is no such folder. */
async function entriesOf(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
