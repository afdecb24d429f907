import type { AvailableModel, InstallModelResult, ListModelsResult } from '../protocol/server.ts';
import { type ModelPrecision, modelPrecisions } from '../protocol/settings.ts';
import { InvalidRequestError } from './base/errors.ts';
import { compiledBytes, downloadBytes, memoryBytes } from './store/estimate.ts';
import type { PrepareOptions } from './store/modelCompiler.ts';
import type * as stored from './store/modelStore.ts';
import type { ProxySettings } from './store/proxy.ts';

/** What a client's settings say about downloads. */
export interface NetworkSettings {
  mirror: string;
  proxy: ProxySettings;
}

/** Returns what is installed and what can be had, for a list. */
export async function describeModels(store: stored.ModelStore): Promise<ListModelsResult> {
  const installed = (await store.list()).map(({ origin, conceptModels, ...model }) => ({
    ...model,
    title: origin?.title ?? model.name,
    licence: origin?.licence ?? null,
    files: [...(origin?.files ?? [])],
    conceptModels: [...conceptModels],
  }));
  const available = (await store.available()).map(describeAvailable);
  return { installed, available, freeBytes: await store.freeBytes() };
}

/**
 * Installs what the parameters of a request name.
 *
 * @throws InvalidRequestError for parameters of a wrong kind, and what the store throws
 */
export async function installFrom(
  store: stored.ModelStore,
  params: unknown,
  network: NetworkSettings,
  prepare: PrepareOptions,
): Promise<InstallModelResult> {
  const { source, precision, acceptedLicence, keepsCheckpoints } = Object(params);
  const consent = text(acceptedLicence, 'acceptedLicence');
  const options = { precision: readPrecision(precision), acceptedLicence: consent };
  const { kind, id, folder } = Object(source);
  let name: string;
  if (kind === 'folder') {
    name = await store.installFromFolder(text(folder, 'source.folder'), options, prepare);
  } else if (kind === 'catalogue') {
    const all = { ...options, ...network, keepsCheckpoints: keepsCheckpoints === true };
    name = await store.install(text(id, 'source.id'), all, prepare);
  } else {
    throw new InvalidRequestError('source.kind: expected catalogue or folder, found another');
  }
  const model = (await store.list()).find((candidate) => candidate.name === name);
  if (!model?.kind || model.space === null) {
    throw new InvalidRequestError(`${name}: expected the installed model, found it removed`);
  }
  const { space, conceptModels } = model;
  return { name, kind: model.kind, space, conceptModels: [...conceptModels] };
}

/** Reads the name of a request. @throws InvalidRequestError when there is none */
export function modelName(params: unknown): string {
  return text(Object(params).name, 'name');
}

/** Reads what an editor says about proxies, under VS Code's names, trusting nothing. */
export function readProxySettings(section: unknown): ProxySettings {
  const { proxy, noProxy } = Object(section);
  const isText = (value: unknown): value is string => typeof value === 'string';
  return {
    url: isText(proxy) ? proxy : '',
    exceptions: Array.isArray(noProxy) ? noProxy.filter(isText) : [],
  };
}

function describeAvailable(model: stored.AvailableModel): AvailableModel {
  const { entry, alsoInstalls, isInstalled, fetchedBytes } = model;
  const all = [...alsoInstalls, entry];
  const files = [...new Set(all.flatMap((planned) => planned.files))];
  const { id, title, kind, space, summary, languages, licence, weightsLicence } = entry;
  const needs = (precision: ModelPrecision) => ({
    diskBytes: total(all.map(({ parameters }) => compiledBytes(parameters, precision))),
    memoryBytes: total(all.map((planned) => memoryBytes(planned, precision))),
  });
  return {
    ...{ id, title, kind, space, summary, languages, weightsLicence, isInstalled, fetchedBytes },
    licence: { ...licence },
    alsoInstalls: alsoInstalls.map((planned) => planned.title),
    downloadBytes: Math.max(0, downloadBytes(files) - fetchedBytes),
    needs: {
      fp32: needs('fp32'),
      fp16: needs('fp16'),
      int8: needs('int8'),
      int4: needs('int4'),
    },
  };
}

function readPrecision(value: unknown): ModelPrecision | null {
  if (value === null || value === undefined) return null;
  const precision = modelPrecisions.find((known) => known === value);
  if (precision !== undefined) return precision;
  throw new InvalidRequestError(`precision: expected ${modelPrecisions.join(', ')} or null`);
}

/** Paths are shorter on every system. */
const maxTextLength = 32_767;

function text(value: unknown, name: string): string {
  if (typeof value === 'string' && value.length <= maxTextLength) return value;
  throw new InvalidRequestError(`${name}: expected text`);
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}
