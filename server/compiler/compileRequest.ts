import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { CheckpointFormatError, InvalidRequestError } from '../base/errors.ts';
import { manifestVersion, type Precision } from '../model/manifest.ts';
import { conceptModelName } from '../model/parseManifest.ts';

/** The files of a model before it is compiled. */
export interface ModelSources {
  encoder: string;
  decoder: string;
  /** Files of the concept models by name, in the order of the manifest. */
  lcms: Readonly<Record<string, string>>;
  tokenizer: string;
  config: string;
  /** How linear layers hold their weights; int8 when left out. */
  precision?: Precision | undefined;
}

export interface CompileRequest extends ModelSources {
  /** The model folder to make. */
  outDir: string;
}

export const defaultPrecision: Precision = 'int8';

/** Bytes that are hashed at once: about a millisecond of the thread. */
const hashChunkBytes = 1 << 20;

/** @throws InvalidRequestError for a name of a concept model that cannot be part of a file name */
export function checkRequest({ lcms }: ModelSources): void {
  for (const name of Object.keys(lcms)) {
    if (!conceptModelName.test(name)) {
      throw new InvalidRequestError(
        `lcm ${name}: expected a name of 1 to 40 letters a-z, digits and hyphens, found another`,
      );
    }
  }
}

/**
 * Returns the digest of everything a compiled model depends on: the bytes of all files, the
 * names of the concept models, the precision and the version of the manifest.
 *
 * @throws CheckpointFormatError when a file is missing
 */
export async function sourceDigest(sources: ModelSources, signal?: AbortSignal): Promise<string> {
  const { encoder, decoder, lcms, tokenizer, config, precision = defaultPrecision } = sources;
  const parts = { encoder, decoder, tokenizer, config };
  const hash = createHash('sha256').update(`thoughtline ${manifestVersion} ${precision}\n`);
  for (const [name, file] of Object.entries(parts)) {
    hash.update(`${name} ${await hashFile(file, signal)}\n`);
  }
  for (const [name, file] of Object.entries(lcms)) {
    hash.update(`lcm ${name} ${await hashFile(file, signal)}\n`);
  }
  return hash.digest('hex');
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
