import { readdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { ModelMissingError } from '../base/errors.ts';
import type { ModelSources } from '../model/modelSources.ts';
import { isJsonObject, readNote } from './partialFile.ts';

/*
 * Checkpoints in a folder of the writer's, recognised by the names under which they are published.
 */

/** Of the encoder, the decoder and the tokenizer. */
const partNames = [
  /^(sonar_text_encoder|encoder|text_encoder)\.(pt|(bin|safetensors)(\.index\.json)?)$/,
  /^(sonar_text_decoder|finetuned_decoder|decoder|text_decoder)\.(pt|(bin|safetensors)(\.index\.json)?)$/,
  /^(sentencepiece\.source\.256000|sentencepiece\.bpe|tokenizer)\.model$/,
] as const;

/** Of what a model may have besides; no concept model is called so. */
const entropyNames = /^entropy\.(pt|(bin|safetensors)(\.index\.json)?)$/;
const directionsNames = /^directions\.(pt|(bin|safetensors)(\.index\.json)?)$/;

const checkpointNames = /\.(pt|(bin|safetensors)(\.index\.json)?)$/;
/** One of several files of a sharded checkpoint; its index stands for all. */
const shardNames = /-\d{5}-of-\d{5}\./;

/** The file that stands for a whole checkpoint and does not say of what: the folder does. */
const anonymousNames = /^(model|pytorch_model)\./;

/** Files of SONAR itself, whose licence holds for whatever runs through it. */
const sonarNames = /^(sonar_text_encoder|sonar_text_decoder|finetuned_decoder)\.pt$/;

export interface FolderSources {
  sources: ModelSources;
  /** Whether it is SONAR, or concept models that are for SONAR as far as can be seen. */
  isSonar: boolean;
}

/**
 * Returns the checkpoints in a folder: of a model when there are an encoder, a decoder and a
 * tokenizer, otherwise of concept models. Every other checkpoint is a concept model.
 *
 * @throws ModelMissingError when there is none
 */
export async function findSources(folder: string): Promise<FolderSources> {
  const entries = await readdir(folder).catch((error) => {
    const message = `${folder}: expected a folder that can be read, found none`;
    throw new ModelMissingError(message, { cause: error });
  });
  const files = entries.filter((file) => !shardNames.test(file) || file.endsWith('.json')).sort();
  const [encoder, decoder, tokenizer] = partNames.map((names) => firstOf(files, names));
  const notLcms = [...partNames, entropyNames, directionsNames];
  const isPart = (file: string) => notLcms.some((names) => names.test(file));
  const lcmFiles = files.filter((file) => checkpointNames.test(file) && !isPart(file));
  const isModel = encoder !== undefined && decoder !== undefined && tokenizer !== undefined;
  if (!isModel && lcmFiles.length === 0) {
    throw new ModelMissingError(
      `${folder}: expected encoder, decoder and tokenizer, or a concept model, ` +
        'under the names they are published with, found neither',
    );
  }
  const at = (file: string) => join(folder, file);
  const config = await readNote(at('config.json'), isJsonObject);
  const named = lcmFiles.map((file) => [lcmName(folder, file), at(file)] as const);
  const lcms = Object.fromEntries(inOrderOf(config, named));
  const ifNamed = (key: string, names: RegExp) => {
    const file = config !== null && Object.hasOwn(config, key) && firstOf(files, names);
    return file ? { [key]: at(file) } : {};
  };
  const space = typeof config?.['space'] === 'string' ? config['space'] : null;
  const isSonar = space === null && (!isModel || [encoder, decoder].some(isOfSonar));
  const parts = isModel
    ? {
        ...{ encoder: at(encoder), decoder: at(decoder), tokenizer: at(tokenizer) },
        ...ifNamed('entropy', entropyNames),
        ...ifNamed('directions', directionsNames),
      }
    : {};
  const sources: ModelSources = {
    ...parts,
    lcms,
    ...configOf(config, at('config.json'), Object.keys(lcms)),
    ...(isSonar ? { space: 'sonar' } : {}),
    ...(isModel && isOfSonar(encoder) ? { archs: { encoder: 'basic', decoder: 'basic' } } : {}),
  };
  return { sources, isSonar: isSonar || space === 'sonar' };
}

/** Puts concept models in the order of the configuration, best first, the others behind them. */
function inOrderOf<T>(
  config: Record<string, unknown> | null,
  named: readonly (readonly [string, T])[],
): (readonly [string, T])[] {
  const names = isJsonObject(config?.['lcm']) ? Object.keys(config['lcm']) : [];
  const placeOf = (name: string) => (names.includes(name) ? names.indexOf(name) : names.length);
  return named.toSorted(([a], [b]) => placeOf(a) - placeOf(b));
}

/**
 * Tells what a configuration is of: one of ours names the parts of a model, a SONAR-LLM's has a
 * Llama within. Any other one is of a library that the compiler does without.
 */
function configOf(
  config: Record<string, unknown> | null,
  file: string,
  [lcm, ...others]: readonly string[],
): Pick<ModelSources, 'config' | 'lcmConfigs'> {
  const has = (key: string) => config !== null && Object.hasOwn(config, key);
  if (['encoder', 'decoder', 'lcm', 'tokenizer'].some(has)) return { config: file };
  const isOfLcm = has('llama_config') && lcm !== undefined && others.length === 0;
  return isOfLcm ? { lcmConfigs: { [lcm]: file } } : {};
}

/** Returns a name of letters a-z, digits and hyphens for a model. */
export function slugOf(text: string): string {
  const slug = text.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  return slug.replace(/^-+/, '').slice(0, 40).replace(/-+$/, '') || 'model';
}

function firstOf(files: readonly string[], names: RegExp): string | undefined {
  const found = files.filter((file) => names.test(file));
  return found.find(isOfSonar) ?? found[0];
}

function isOfSonar(file: string): boolean {
  return sonarNames.test(file);
}

function lcmName(folder: string, file: string): string {
  const isAnonymous = anonymousNames.test(file);
  return slugOf(isAnonymous ? basename(resolve(folder)) : file.replace(checkpointNames, ''));
}
