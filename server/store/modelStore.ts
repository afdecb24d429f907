import { randomUUID } from 'node:crypto';
import { rename, rm } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { InvalidRequestError, ModelMissingError } from '../base/errors.ts';
import { precisions } from '../model/manifest.ts';
import { BuiltInModel, type BuiltInParts } from './builtInModel.ts';
import type { CatalogueEntry } from './catalogue.ts';
import { slugOf } from './folderSources.ts';
import {
  describeFolder,
  type InstalledModel,
  intactModels,
  modelNamesIn,
} from './installedModel.ts';
import { Installer, type InstallerParts, type InstallOptions, installedName } from './installer.ts';
import type { PrepareOptions } from './modelCompiler.ts';
import { openModelFolder, verifyModelFolder } from './modelFolder.ts';
import { type Origin, readOrigin, removeOrigin } from './origin.ts';

export type ModelStoreParts = BuiltInParts & InstallerParts;

/** What is loaded: a model and the concept models that were added to its space. */
export interface PreparedModel {
  folder: string;
  /** Folders with concept models. */
  addOns: readonly string[];
}

/** A model of this machine, with where it comes from if we have installed it. */
export interface ListedModel extends InstalledModel {
  origin: Origin | null;
}

/** A model that can be had. */
export interface AvailableModel {
  entry: CatalogueEntry;
  /** What is installed with it, because it needs it and it is not here. */
  alsoInstalls: readonly CatalogueEntry[];
  isInstalled: boolean;
  /** How much of its files is here already. */
  fetchedBytes: number;
}

/** The models of this machine, and those that can be had. */
export class ModelStore {
  readonly #parts: ModelStoreParts;
  readonly #builtIn: BuiltInModel;
  readonly #installer: Installer;

  constructor(parts: ModelStoreParts) {
    this.#parts = parts;
    this.#builtIn = new BuiltInModel(parts);
    this.#installer = new Installer(parts);
  }

  /** Returns the models of this machine, the built-in one first. */
  async list(): Promise<ListedModel[]> {
    const { storageFolder } = this.#parts;
    const models: ListedModel[] = [];
    const builtIn = await this.#builtIn.describe();
    if (builtIn !== null) models.push({ ...builtIn, origin: null });
    for (const name of await this.#installedNames()) {
      const model = await describeFolder(join(storageFolder, name), name);
      if (model === null) continue;
      models.push({ ...model, origin: await readOrigin(storageFolder, name) });
    }
    return models;
  }

  /** Returns what can be had, in the order of the catalogue. */
  async available(): Promise<AvailableModel[]> {
    const { storageFolder, logger } = this.#parts;
    const intact = (await intactModels(storageFolder, logger)).map(({ folder }) =>
      basename(folder),
    );
    const models: AvailableModel[] = [];
    for (const entry of this.#parts.catalogue) {
      models.push({
        entry,
        alsoInstalls: await this.#installer.besides(entry),
        isInstalled: [null, ...precisions].some((precision) =>
          intact.includes(installedName(entry, precision)),
        ),
        fetchedBytes: await this.#installer.fetchedBytes(entry),
      });
    }
    return models;
  }

  /** Returns the free bytes of the disk where models are kept. */
  freeBytes(): Promise<number> {
    return this.#parts.freeBytes(this.#parts.storageFolder);
  }

  /**
   * Returns what to load, compiling the built-in model if needed.
   *
   * @param nameOrFolder  a name of the list or a model folder; empty means the built-in model
   * @throws ModelMissingError when there is no such model
   * @throws IntegrityError when it is damaged
   */
  async prepare(nameOrFolder: string, options: PrepareOptions = {}): Promise<PreparedModel> {
    const folder = await this.#folderOf(nameOrFolder, options);
    return { folder, addOns: await this.#addOnsFor(folder) };
  }

  /** See `Installer.install`. */
  install(id: string, options: InstallOptions, prepare: PrepareOptions = {}): Promise<string> {
    return this.#installer.install(id, options, prepare);
  }

  /** See `Installer.installFromFolder`. */
  async installFromFolder(
    folder: string,
    options: Pick<InstallOptions, 'precision' | 'acceptedLicence'>,
    prepare: PrepareOptions = {},
  ): Promise<string> {
    const name = slugOf(basename(resolve(folder)));
    if (this.#builtIn.owns(name)) {
      throw new InvalidRequestError(`${folder}: expected another name than the built-in model's`);
    }
    return this.#installer.installFromFolder(folder, options, prepare);
  }

  /**
   * Removes an installed model, and what was downloaded for it.
   *
   * @throws ModelMissingError for a name that is not of the storage
   * @throws InvalidRequestError for the built-in model, and for one in use where that matters
   */
  async remove(name: string): Promise<void> {
    const { storageFolder, catalogue } = this.#parts;
    if (this.#builtIn.owns(name)) {
      throw new InvalidRequestError(`${name}: expected an installed model, found the built-in one`);
    }
    const entry = catalogue.find(({ id }) => id === name);
    const isThere = (await modelNamesIn(storageFolder)).includes(name);
    const isFetched = entry !== undefined && (await this.#installer.fetchedBytes(entry)) > 0;
    if (!isThere && !isFetched) {
      throw new ModelMissingError(`${name.slice(0, 80)}: expected an installed model, found none`);
    }
    if (isThere) {
      // Under another name it is gone at once, even if removing it is interrupted.
      const aside = join(storageFolder, `.${name}.removed-${randomUUID()}`);
      await rename(join(storageFolder, name), aside).catch((error) => {
        const message = `${name}: expected a model that no program uses`;
        throw new InvalidRequestError(message, { cause: error });
      });
      await rm(aside, { recursive: true, force: true });
      await removeOrigin(storageFolder, name);
    }
    if (entry !== undefined) await this.#installer.removeFetched(entry);
  }

  /**
   * Compares every byte of a compiled model with its manifest.
   *
   * @throws ModelMissingError, IntegrityError
   */
  async verify(nameOrFolder: string, signal?: AbortSignal): Promise<void> {
    await verifyModelFolder(await this.#folderOf(nameOrFolder, { signal }), signal);
  }

  async #folderOf(nameOrFolder: string, options: PrepareOptions): Promise<string> {
    const { builtInName, storageFolder } = this.#parts;
    if (nameOrFolder === '' || nameOrFolder === builtInName) return this.#builtIn.prepare(options);
    const names = await modelNamesIn(storageFolder);
    const folder = names.includes(nameOrFolder) ? join(storageFolder, nameOrFolder) : nameOrFolder;
    await openModelFolder(folder);
    return folder;
  }

  /** Returns the folders whose concept models run with a model; of one name the first counts. */
  async #addOnsFor(folder: string): Promise<string[]> {
    const { storageFolder, logger } = this.#parts;
    const model = await openModelFolder(folder);
    const names = new Set(model.conceptModels.map(({ name }) => name));
    const addOns: string[] = [];
    for (const { folder: addOn, manifest } of await intactModels(storageFolder, logger)) {
      const { kind, space, embeddingDim, conceptModels } = manifest;
      const isFor = space === model.space && embeddingDim === model.embeddingDim;
      if (kind !== 'conceptModels' || !isFor) continue;
      const taken = conceptModels.find(({ name }) => names.has(name));
      if (taken !== undefined) {
        logger.warn(`${addOn}: left aside, because ${taken.name} is there already`);
        continue;
      }
      for (const { name } of conceptModels) names.add(name);
      addOns.push(addOn);
    }
    return addOns;
  }

  /** Returns the names in the storage that are not of the built-in model. */
  async #installedNames(): Promise<string[]> {
    const names = await modelNamesIn(this.#parts.storageFolder);
    return names.filter((name) => !this.#builtIn.owns(name));
  }
}
