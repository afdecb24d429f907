import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ModelMissingError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { type DeviceChoice, precisionsOf } from '../model/device.ts';
import type { PartPrecisions, Precision } from '../model/manifest.ts';
import type { ModelSources } from '../model/modelSources.ts';
import { parseConfig } from '../model/parseConfig.ts';
import { describeFolder, type InstalledModel, openIntact } from './installedModel.ts';
import type { ModelCompiler, PrepareOptions } from './modelCompiler.ts';
import { fileSize, openModelFolder, readShortText } from './modelFolder.ts';

/** Where the built-in model lives, and what compiles it. */
export interface BuiltInParts {
  /** Name of the built-in model. */
  builtInName: string;
  /**
   * Its checkpoints: encoder, decoder and concept models as .safetensors, tokenizer, config.json,
   * which names the concept models in the order of the manifest, and the entropy model and the
   * directions where it has some.
   */
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

/** What processors do best; the concept models are many, and small steps are cheap in any precision. */
const shipped: PartPrecisions = { encoder: 'int8', decoder: 'int8', conceptModels: 'int4' };

/**
 * The model in the box. It is compiled when it is first asked for; its folder bears the digest of
 * its sources, so that a new version never replaces one in use.
 */
export class BuiltInModel {
  readonly #parts: BuiltInParts;

  constructor(parts: BuiltInParts) {
    this.#parts = parts;
  }

  /** Tells whether a name in the storage is of one of its versions. */
  owns(name: string): boolean {
    const { builtInName } = this.#parts;
    return name === builtInName || name.startsWith(`${builtInName}-`);
  }

  /**
   * Returns its folder, compiling it when no intact copy of the same sources exists. Two processes
   * may do so at once: whoever comes second takes the first's.
   *
   * @throws ModelMissingError when its checkpoints are not there
   */
  async prepare(options: PrepareOptions = {}): Promise<string> {
    const { prebuiltFolder, storageFolder, compiler, logger } = this.#parts;
    const sources = await this.#sources(precisionFor(options.device ?? 'auto'));
    const prebuilt = await openIntact(prebuiltFolder, logger);
    if ('missing' in sources) {
      if (prebuilt) return prebuiltFolder;
      throw new ModelMissingError(`${sources.missing}: expected a checkpoint, found no file`);
    }
    const digest = await compiler.sourceDigest(sources, options.signal);
    if (prebuilt?.sourceDigest === digest) return prebuiltFolder;
    const outDir = this.#folderFor(digest);
    if ((await openIntact(outDir, logger))?.sourceDigest === digest) return outDir;
    await rm(outDir, { recursive: true, force: true }); // ours, and damaged if it is there
    await mkdir(storageFolder, { recursive: true });
    logger.info(`preparing ${outDir}`);
    await compiler.compile({ ...sources, outDir }, options);
    await openModelFolder(outDir);
    return outDir;
  }

  /** Returns what a list shows of it, or null when nothing of it is here. */
  async describe(): Promise<InstalledModel | null> {
    const { builtInName, checkpointFolder, prebuiltFolder, compiler } = this.#parts;
    const sources = await this.#sources(shipped);
    const prebuilt = await describeFolder(prebuiltFolder, builtInName);
    if (prebuilt?.state === 'ready') return { ...prebuilt, isBuiltIn: true };
    if ('missing' in sources) return null;
    // Reads every checkpoint: a list need not wait for it where there is a prebuilt copy.
    const folder = this.#folderFor(await compiler.sourceDigest(sources));
    const model = await describeFolder(folder, builtInName);
    if (model?.state === 'ready') return { ...model, isBuiltIn: true };
    const lcms = Object.entries(sources.lcms);
    const { encoder, decoder, entropy, directions } = sources;
    const parts = [encoder, decoder, entropy, directions].filter((file) => file !== undefined);
    const files = [...parts, ...lcms.map(([, file]) => file)];
    const sizes = await Promise.all(files.map(async (file) => (await fileSize(file)) ?? 0));
    return {
      name: builtInName,
      folder: checkpointFolder,
      isBuiltIn: true,
      state: 'unprepared',
      kind: 'model',
      space: null,
      precision: null,
      sizeBytes: sizes.reduce((total, size) => total + size, 0),
      conceptModels: lcms.map(([name]) => name),
    };
  }

  #folderFor(digest: string): string {
    const { builtInName, storageFolder } = this.#parts;
    return join(storageFolder, `${builtInName}-${digest.slice(0, digestLetters)}`);
  }

  /** Returns its files, or the first of them that is missing. */
  async #sources(
    precision: Precision | PartPrecisions,
  ): Promise<BuiltInSources | { missing: string }> {
    const { checkpointFolder } = this.#parts;
    const at = (file: string) => join(checkpointFolder, file);
    const sources = {
      encoder: at(`encoder${checkpointSuffix}`),
      decoder: at(`decoder${checkpointSuffix}`),
      tokenizer: at('tokenizer.model'),
      config: at('config.json'),
      precision,
    };
    for (const file of [sources.encoder, sources.decoder, sources.tokenizer, sources.config]) {
      if ((await fileSize(file)) === null) return { missing: file };
    }
    const config = parseConfig(await readShortText(sources.config), sources.config);
    const { conceptModels } = config;
    const names = [...conceptModels.keys()];
    const lcms = Object.fromEntries(names.map((name) => [name, at(`${name}${checkpointSuffix}`)]));
    const entropy = config.entropy.keys().length > 0 && at(`entropy${checkpointSuffix}`);
    const directions = config.directions.length > 0 && at(`directions${checkpointSuffix}`);
    const optional = { ...(entropy && { entropy }), ...(directions && { directions }) };
    for (const file of [...Object.values(lcms), ...Object.values(optional)]) {
      if ((await fileSize(file)) === null) return { missing: file };
    }
    return { ...sources, lcms, ...optional };
  }
}

/** Returns what ships for processors; elsewhere what the device runs, fp32 at least: the model is small. */
function precisionFor(device: DeviceChoice): Precision | PartPrecisions {
  if (device === 'auto' || device === 'cpu') return shipped;
  return precisionsOf(device).includes(shipped.encoder) ? shipped.encoder : 'fp32';
}
