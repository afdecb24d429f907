import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { CheckpointFormatError, InvalidRequestError } from '../base/errors.ts';
import { manifestVersion, type PartPrecisions } from '../model/manifest.ts';
import type { ModelSources } from '../model/modelSources.ts';
import { conceptModelName } from '../model/parseConceptModelEntry.ts';
import { filesOfCheckpoint } from './checkpoint/shardIndex.ts';

export interface CompileRequest extends ModelSources {
  /** The model folder to make. */
  outDir: string;
}

const defaultPrecisions: PartPrecisions = {
  encoder: 'int8',
  decoder: 'int8',
  conceptModels: 'int8',
};

/** The parts that are no concept model. */
const codecParts: readonly string[] = ['encoder', 'decoder'];

/** What no concept model may be called: the writer says `auto` for whichever is first. */
const reservedNames: readonly string[] = [...codecParts, 'entropy', 'directions', 'auto'];

/** Bytes that are hashed at once: about a millisecond of the thread. */
const hashChunkBytes = 1 << 20;

/**
 * Checks what can be checked without opening a file.
 *
 * @throws InvalidRequestError for a name of a concept model that cannot be part of a file name,
 *   for sources that make neither a model nor an add-on, and for languages of a vocabulary that is
 *   not there
 */
export function checkRequest(sources: ModelSources): void {
  const { encoder, decoder, tokenizer, lcms, lcmConfigs = {}, archs = {} } = sources;
  const { vocabularyLangs, entropy, directions } = sources;
  for (const name of Object.keys(lcms)) {
    if (!conceptModelName.test(name) || reservedNames.includes(name)) {
      throw new InvalidRequestError(
        `lcm ${name}: expected a name of 1 to 40 letters a-z, digits and hyphens, found another`,
      );
    }
  }
  requireKnown('configuration', Object.keys(lcmConfigs), Object.keys(lcms));
  requireKnown('arch', Object.keys(archs), [...codecParts, ...Object.keys(lcms)]);
  if (vocabularyLangs !== undefined && (vocabularyLangs.length === 0 || decoder === undefined)) {
    throw new InvalidRequestError(
      'vocabulary languages: expected some of them and a decoder, found ' +
        (decoder === undefined ? 'no decoder' : 'none'),
    );
  }
  const parts = Object.entries({ encoder, decoder, tokenizer });
  const missing = parts.filter(([, file]) => file === undefined).map(([part]) => part);
  if (missing.length > 0 && missing.length < parts.length) {
    throw new InvalidRequestError(
      `${missing.join(', ')}: expected encoder, decoder and tokenizer together, found no file`,
    );
  }
  for (const [name, file] of Object.entries({ entropy, directions })) {
    if (file === undefined || encoder !== undefined) continue;
    throw new InvalidRequestError(
      `${name}: expected an encoder and a decoder beside it, found none`,
    );
  }
  if (missing.length === parts.length && Object.keys(lcms).length === 0) {
    throw new InvalidRequestError('lcm: expected a concept model for an add-on, found none');
  }
}

function requireKnown(what: string, names: readonly string[], known: readonly string[]): void {
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new InvalidRequestError(
    `${what} of ${unknown}: expected one of ${known.join(', ')}, found another`,
  );
}

/** Returns the precision of every part. */
export function partPrecisions(precision: ModelSources['precision']): PartPrecisions {
  if (typeof precision !== 'string') return { ...defaultPrecisions, ...precision };
  return { encoder: precision, decoder: precision, conceptModels: precision };
}

/**
 * Returns the digest of everything a compiled model depends on: the bytes of all files, the
 * names of the concept models, the options and the version of the manifest.
 *
 * @throws CheckpointFormatError when a file is missing
 */
export async function sourceDigest(sources: ModelSources, signal?: AbortSignal): Promise<string> {
  const { encoder, decoder, entropy, directions, lcms, lcmConfigs = {} } = sources;
  const { tokenizer, config } = sources;
  const options = {
    precision: partPrecisions(sources.precision),
    archs: Object.entries(sources.archs ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)),
    name: sources.name,
    space: sources.space,
    vocabularyLangs: sources.vocabularyLangs,
  };
  const hash = createHash('sha256');
  hash.update(`thoughtline ${manifestVersion} ${JSON.stringify(options)}\n`);
  for (const [name, file] of Object.entries({ encoder, decoder, entropy, directions })) {
    if (file !== undefined) hash.update(`${name} ${await hashCheckpoint(file, signal)}\n`);
  }
  for (const [name, file] of Object.entries({ tokenizer, config })) {
    if (file !== undefined) hash.update(`${name} ${await hashFile(file, signal)}\n`);
  }
  for (const [name, file] of Object.entries(lcms)) {
    hash.update(`lcm ${name} ${await hashCheckpoint(file, signal)}\n`);
    const own = lcmConfigs[name];
    if (own !== undefined) hash.update(`lcm config ${name} ${await hashFile(own, signal)}\n`);
  }
  return hash.digest('hex');
}

/** Returns the digest of a file and, when it is an index, those of all files that it names. */
async function hashCheckpoint(file: string, signal: AbortSignal | undefined): Promise<string> {
  const digests: string[] = [];
  for (const part of filesOfCheckpoint(file)) digests.push(await hashFile(part, signal));
  return digests.join(' ');
}

async function hashFile(file: string, signal: AbortSignal | undefined): Promise<string> {
  const status = await stat(file).catch(() => null);
  if (!status?.isFile()) {
    throw new CheckpointFormatError(`${file}: expected a readable file, found none`);
  }
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, { highWaterMark: hashChunkBytes })) {
    signal?.throwIfAborted();
    hash.update(chunk);
  }
  return hash.digest('hex');
}
