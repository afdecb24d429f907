import { CheckpointFormatError } from '../base/errors.ts';
import { Fields, parseJson } from '../model/fields.ts';
import { maxConfigBytes } from '../model/limits.ts';
import type { ModelSources } from '../model/modelSources.ts';
import { configErrors, type ModelConfig, parseConfig } from '../model/parseConfig.ts';
import { readWholeFile } from './checkpoint/byteSource.ts';

/** What is said about one part besides its weights. */
export interface GivenConfig {
  /** None when nothing is said. */
  fields: Fields;
  /** Name of an architecture; it counts more than the one of the fields. */
  arch: string | undefined;
}

/** What is said about all parts. */
export interface GivenConfigs {
  config: ModelConfig;
  codecPart(part: 'encoder' | 'decoder', file: string): GivenConfig;
  entropy(file: string): Fields;
  conceptModel(name: string, file: string): GivenConfig;
}

/**
 * Reads the configuration of a model, and those of its concept models. Where nothing is said,
 * errors name the file of the weights.
 *
 * @throws CheckpointFormatError when a file is missing or malformed
 * @throws CheckpointUnsupportedError when a field asks for what we do not build
 */
export function readGivenConfigs({ config: file, lcmConfigs, archs }: ModelSources): GivenConfigs {
  const config = parseConfig(file === undefined ? '{}' : readText(file), file ?? 'config');
  return {
    config,
    codecPart: (part, weightsFile) => ({
      fields: file === undefined ? noFields(`${weightsFile}: ${part}`) : config[part],
      arch: archs?.[part],
    }),
    entropy: (weightsFile) =>
      file === undefined ? noFields(`${weightsFile}: entropy`) : config.entropy,
    conceptModel: (name, weightsFile) => {
      const own = lcmConfigs?.[name];
      const given = own === undefined ? config.conceptModels.get(name) : readFields(own);
      return { fields: given ?? noFields(`${weightsFile}: lcm.${name}`), arch: archs?.[name] };
    },
  };
}

function readFields(file: string): Fields {
  return new Fields(parseJson(readText(file), file, configErrors), `${file}:`, configErrors);
}

function noFields(path: string): Fields {
  return new Fields({}, path, configErrors);
}

function readText(file: string): string {
  const bytes = readWholeFile(file, maxConfigBytes);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new CheckpointFormatError(`${file}: expected text in UTF-8, found other bytes`, {
      cause,
    });
  }
}
