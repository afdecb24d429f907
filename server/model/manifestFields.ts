import { IntegrityError } from '../base/errors.ts';
import type { FieldErrors, Fields } from './fields.ts';
import { sequenceLengths, vocabularySizes } from './limits.ts';
import type { FileEntry, GraphEntry } from './manifest.ts';

/*
 * What every part of a manifest is made of.
 */

/** What errors of a manifest are. */
export const manifestErrors: FieldErrors = {
  malformed: (message) => new IntegrityError(message),
  unsupported: (message) => new IntegrityError(message),
};

/** The encoder may add a padding index and one more to its length; see `encoderMaxSeqLen`. */
export const manifestLengths = { min: 1, max: sequenceLengths.max + vocabularySizes.max + 1 };

export const sha256Digest = /^[0-9a-f]{64}$/;

/** A bare name without folders, so that a manifest cannot point out of its folder. */
const bareFileName = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,119}$/;

const fileSizes = { min: 0, max: Number.MAX_SAFE_INTEGER };

export function parseGraph(fields: Fields): GraphEntry {
  return { model: parseFile(fields.object('model')), weights: parseFile(fields.object('weights')) };
}

export function parseFile(fields: Fields): FileEntry {
  return {
    file: matching(fields, 'file', bareFileName, 'a bare file name'),
    sizeBytes: fields.integer('sizeBytes', fileSizes),
    sha256: matching(fields, 'sha256', sha256Digest, 'a SHA-256 digest'),
  };
}

/** Reads a text that must match a pattern. */
export function matching(fields: Fields, key: string, pattern: RegExp, expected: string): string {
  const text = fields.text(key);
  if (!pattern.test(text)) throw fields.malformed(key, expected);
  return text;
}
