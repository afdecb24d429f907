import { cp, mkdir, rename, rm, statfs } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { DownloadError, InvalidRequestError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { Precision } from '../model/manifest.ts';
import type { ModelSources } from '../model/modelSources.ts';
import {
  type CatalogueEntry,
  type FileRole,
  fileUrl,
  findEntry,
  type Licence,
  sonarLicence,
} from './catalogue.ts';
import { download } from './download.ts';
import { withFileLock } from './fileLock.ts';
import { findSources, slugOf } from './folderSources.ts';
import { intactModels, openIntact } from './installedModel.ts';
import { gigabytes, InstallProgress, type Job, jobBytes } from './installProgress.ts';
import type { ModelCompiler, PrepareOptions } from './modelCompiler.ts';
import { fileSize, openModelFolder, verifyModelFolder } from './modelFolder.ts';
import { removeOrigin, writeOrigin } from './origin.ts';
import { type DownloadRecord, downloadedBytes, removeDownload } from './partialFile.ts';
import type { ProxySettings } from './proxy.ts';

export interface InstallerParts {
  catalogue: readonly CatalogueEntry[];
  storageFolder: string;
  compiler: ModelCompiler;
  logger: Logger;
  clock: Clock;
  /** Returns the free bytes of the disk that holds a folder. */
  freeBytes: (folder: string) => Promise<number>;
}

/** How a model is fetched and compiled. */
export interface InstallOptions {
  /** Identifier of the licence that the writer has accepted; empty when there is none. */
  acceptedLicence: string;
  /** Of linear layers; null leaves it to the compiler. */
  precision: Precision | null;
  /** Base address that has the files in place of their hosts; empty means none. */
  mirror: string;
  proxy: ProxySettings;
  /** Whether downloads stay when they are compiled: another precision needs them again. */
  keepsCheckpoints: boolean;
}

/**
 * Brings models to this machine: download, verify, compile. One install runs at a time, in all
 * windows together. Whatever interrupts it, the next one goes on from there, and only a complete
 * model has its name.
 */
export class Installer {
  readonly #parts: InstallerParts;

  constructor(parts: InstallerParts) {
    this.#parts = parts;
  }

  /**
   * Returns what installing an entry brings besides: concept models need a model of their space,
   * and bring one where there is none.
   */
  async besides({ kind, space }: CatalogueEntry): Promise<CatalogueEntry[]> {
    const { catalogue, storageFolder, logger } = this.#parts;
    if (kind === 'model') return [];
    const models = (await intactModels(storageFolder, logger)).map(({ manifest }) => manifest);
    if (models.some((model) => model.kind === 'model' && model.space === space)) return [];
    const base = catalogue.find((entry) => entry.kind === 'model' && entry.space === space);
    return base === undefined ? [] : [base];
  }

  /**
   * Installs an entry of the catalogue.
   *
   * @returns the name of the installed model
   * @throws InvalidRequestError for an unknown id, a licence that was not accepted, or a mirror
   *   that is no address
   * @throws DownloadError, and what compiling throws
   */
  async install(id: string, options: InstallOptions, prepare: PrepareOptions): Promise<string> {
    const entry = findEntry(this.#parts.catalogue, id);
    const name = installedName(entry, options.precision);
    checkConsent(entry.licence, options.acceptedLicence);
    await this.#alone(prepare, async () => {
      const jobs = [];
      for (const planned of [...(await this.besides(entry)), entry]) {
        checkConsent(planned.licence, options.acceptedLicence);
        const precision = planned === entry ? options.precision : null;
        const job = { entry: planned, precision, name: installedName(planned, precision) };
        if ((await this.#intact(job.name)) === null) jobs.push(job);
      }
      await this.#checkSpace(jobs);
      const progress = new InstallProgress(jobs, prepare.onProgress);
      for (const job of jobs) await this.#installOne(job, options, progress, prepare.signal);
    });
    return name;
  }

  /**
   * Installs checkpoints or a compiled model from a folder of the writer's, which stays as it is.
   *
   * @returns the name of the installed model
   * @throws ModelMissingError when the folder holds nothing that we know
   * @throws InvalidRequestError when it holds SONAR and the licence was not accepted
   */
  async installFromFolder(
    folder: string,
    { precision, acceptedLicence }: Pick<InstallOptions, 'precision' | 'acceptedLicence'>,
    prepare: PrepareOptions,
  ): Promise<string> {
    const name = slugOf(basename(resolve(folder)));
    if ((await fileSize(join(folder, 'manifest.json'))) !== null) {
      await this.#alone(prepare, () => this.#copy(folder, name, prepare));
      return name;
    }
    const { sources, isSonar } = await findSources(folder);
    if (isSonar) checkConsent(sonarLicence, acceptedLicence);
    await this.#alone(prepare, async () => {
      const outDir = this.#folder(name);
      const request = { ...sources, name, precision: precision ?? undefined, outDir };
      await this.#parts.compiler.compile(request, prepare);
      await removeOrigin(this.#parts.storageFolder, name);
    });
    return name;
  }

  /** Returns how much of an entry's files is here already. */
  async fetchedBytes({ files }: CatalogueEntry): Promise<number> {
    const sizes = files.map(({ name }) => downloadedBytes(this.#downloaded(name)));
    return (await Promise.all(sizes)).reduce((total, size) => total + size, 0);
  }

  /** Removes what was fetched of an entry. */
  async removeFetched({ files }: CatalogueEntry): Promise<void> {
    for (const { name } of files) await removeDownload(this.#downloaded(name));
  }

  /** Runs something while no other window installs. */
  async #alone(prepare: PrepareOptions, body: () => Promise<void>): Promise<void> {
    const { storageFolder, clock } = this.#parts;
    await withFileLock(
      join(storageFolder, '.install.lock'),
      {
        clock,
        signal: prepare.signal,
        onWait: () => prepare.onProgress?.(0, 'waiting for an install in another window'),
      },
      body,
    );
  }

  async #installOne(
    { entry, precision, name }: Job,
    options: InstallOptions,
    progress: InstallProgress,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { storageFolder, compiler, clock, logger } = this.#parts;
    const records: DownloadRecord[] = [];
    for (const file of entry.files) {
      const begun = progress.file(entry, file);
      const request = {
        url: fileUrl(file, options.mirror),
        file: this.#downloaded(file.name),
        sizeBytes: file.length.state === 'known' ? file.length.bytes : null,
        sha256: file.digest.state === 'known' ? file.digest.sha256 : null,
      };
      const { proxy } = options;
      const onProgress = begun.at;
      const record = await download(request, { proxy, clock, logger, onProgress, signal });
      if (record.checkedAgainst === 'none') {
        logger.info(`${file.name}: no digest to compare with; its own SHA-256 is ${record.sha256}`);
      }
      records.push(record);
      begun.end();
    }
    const { id, title, licence } = entry;
    await writeOrigin(storageFolder, name, { id, title, licence: licence.id, files: records });
    const compiling = progress.compile(entry, precision);
    const outDir = this.#folder(name);
    await rm(outDir, { recursive: true, force: true }); // ours, and damaged if it is there
    const sources = this.#sources(entry, name, precision);
    await compiler.compile({ ...sources, outDir }, { onProgress: compiling.at, signal });
    await openModelFolder(outDir);
    compiling.end();
    if (!options.keepsCheckpoints) await this.removeFetched(entry);
  }

  #sources(
    { files, archs, space }: CatalogueEntry,
    name: string,
    precision: Precision | null,
  ): ModelSources {
    const file = (role: FileRole) => {
      const found = files.find((candidate) => candidate.role === role);
      return found === undefined ? undefined : this.#downloaded(found.name);
    };
    const lcm = file('conceptModel');
    const lcmConfig = file('conceptModelConfig');
    return {
      encoder: file('encoder'),
      decoder: file('decoder'),
      tokenizer: file('tokenizer'),
      lcms: lcm === undefined ? {} : { [name]: lcm },
      lcmConfigs: lcmConfig === undefined ? {} : { [name]: lcmConfig },
      archs: Object.fromEntries(
        Object.entries(archs).map(([role, arch]) => [role === 'conceptModel' ? name : role, arch]),
      ),
      precision: precision ?? undefined,
      space,
      name,
    };
  }

  /** Copies a compiled model: it has its name when every byte was compared. */
  async #copy(folder: string, name: string, { onProgress, signal }: PrepareOptions): Promise<void> {
    const { storageFolder } = this.#parts;
    onProgress?.(0, name);
    await verifyModelFolder(folder, signal);
    const partial = join(storageFolder, `.${name}.copying`);
    await rm(partial, { recursive: true, force: true });
    try {
      await cp(folder, partial, { recursive: true });
      onProgress?.(0.5, name);
      await verifyModelFolder(partial, signal);
      await rm(this.#folder(name), { recursive: true, force: true });
      await rename(partial, this.#folder(name));
      await removeOrigin(storageFolder, name);
    } finally {
      await rm(partial, { recursive: true, force: true });
    }
  }

  /** @throws DownloadError when the disk cannot take what is still to come */
  async #checkSpace(jobs: readonly Job[]): Promise<void> {
    const { storageFolder, freeBytes } = this.#parts;
    const files = [...new Set(jobs.flatMap(({ entry }) => entry.files))];
    let toDownload = 0;
    for (const file of files) {
      const fetched = await downloadedBytes(this.#downloaded(file.name));
      toDownload += Math.max(0, file.length.bytes - fetched);
    }
    const toCompile = jobs.reduce((total, job) => total + jobBytes(job), 0);
    const free = await freeBytes(storageFolder);
    if (toDownload + toCompile <= free) return;
    throw new DownloadError(
      'notEnoughSpace',
      `${storageFolder}: expected ${gigabytes(toDownload + toCompile)} of free space ` +
        `(${gigabytes(toDownload)} to download, ${gigabytes(toCompile)} to compile), ` +
        `found ${gigabytes(free)}`,
    );
  }

  #intact(name: string) {
    return openIntact(this.#folder(name), this.#parts.logger);
  }

  #folder(name: string): string {
    return join(this.#parts.storageFolder, name);
  }

  #downloaded(file: string): string {
    return join(this.#parts.storageFolder, '.downloads', file);
  }
}

/** @throws InvalidRequestError unless the very licence was accepted */
function checkConsent({ id }: Licence, accepted: string): void {
  if (accepted === id) return;
  const found = accepted === '' ? 'no consent' : accepted.slice(0, 80);
  throw new InvalidRequestError(`licence: expected ${id} to be accepted, found ${found}`);
}

/** Returns the name under which an entry is installed: two precisions are two models. */
export function installedName({ id }: CatalogueEntry, precision: Precision | null): string {
  return precision === null ? id : `${id}-${precision}`;
}

/** Returns the free bytes of the disk that holds a folder. */
export async function freeBytesOf(folder: string): Promise<number> {
  await mkdir(folder, { recursive: true });
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}
