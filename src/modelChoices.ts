import type {
  AvailableModel,
  InstalledModel,
  InstallModelResult,
  ListModelsResult,
} from '../protocol/server.ts';

/*
 * What a list of models means for the settings: which model runs, and which concept model thinks
 * for it. Nothing here knows the editor.
 */

/** Settings to write; what is absent stays as it is. */
export interface ModelChoice {
  /** Of `thoughtline.model.name`. */
  name?: string;
  /** Of `thoughtline.completion.conceptModel`. */
  conceptModel?: string;
}

/**
 * Returns the settings that bring a model into use. Concept models take a model of their space
 * along, unless one is in use already.
 *
 * @param chosen   what was installed or chosen
 * @param current  `thoughtline.model.name` as it is set
 */
export function choiceOf(
  chosen: Pick<InstallModelResult, 'name' | 'kind' | 'space' | 'conceptModels'>,
  installed: readonly InstalledModel[],
  current: string,
): ModelChoice {
  if (chosen.kind === 'model') return { name: nameSetting(chosen.name, installed) };
  const [conceptModel] = chosen.conceptModels;
  const choice: ModelChoice = conceptModel === undefined ? {} : { conceptModel };
  if (modelInUse(installed, current)?.space === chosen.space) return choice;
  const model = installed.find(
    ({ kind, space, state }) => kind === 'model' && space === chosen.space && state === 'ready',
  );
  return model === undefined ? choice : { ...choice, name: nameSetting(model.name, installed) };
}

/** Returns the model that a setting names; undefined for a folder elsewhere. */
export function modelInUse(
  installed: readonly InstalledModel[],
  current: string,
): InstalledModel | undefined {
  return installed.find(({ name, isBuiltIn }) => name === current || (isBuiltIn && current === ''));
}

/** Returns what can be had, what was begun first: that is what one comes back for. */
export function inOrderOfInterest({ available }: ListModelsResult): AvailableModel[] {
  const begun = available.filter(isBegun);
  return [...begun, ...available.filter((model) => !begun.includes(model))];
}

/** Tells whether some of a model was downloaded. */
export function isBegun({ fetchedBytes, isInstalled }: AvailableModel): boolean {
  return fetchedBytes > 0 && !isInstalled;
}

/** Returns a size for a person, in steps of a thousand as disks are sold. */
export function sizeOf(bytes: number): string {
  if (bytes < 1e6) return `${Math.ceil(bytes / 1e3)} kB`;
  return bytes < 1e9 ? `${Math.round(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}

/** The built-in model is in use where nothing is set. */
function nameSetting(name: string, installed: readonly InstalledModel[]): string {
  return installed.some((model) => model.isBuiltIn && model.name === name) ? '' : name;
}
