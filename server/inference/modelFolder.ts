import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { IntegrityError, ModelMissingError } from '../base/errors.ts';
import { maxConfigBytes } from '../model/limits.ts';
import type {
  AddOnManifest,
  ConceptModelEntry,
  Manifest,
  ModelManifest,
} from '../model/manifest.ts';
import { checkFileSizes, parseManifest } from '../model/parseManifest.ts';

/*
 * What a model is made of on disk: its own folder, and those of add-ons, which bring concept
 * models of the same space.
 */

/** A concept model, and the folder with its files. */
export interface PlacedConceptModel {
  folder: string;
  entry: ConceptModelEntry;
}

/**
 * Reads the manifest of a model, and compares the sizes of its files.
 *
 * @throws ModelMissingError when there is no manifest
 * @throws IntegrityError when it is malformed, a file is missing or truncated, or it has no
 *   encoder and decoder
 */
export function readModel(folder: string): ModelManifest {
  const manifest = readManifest(folder);
  if (manifest.kind === 'model') return manifest;
  throw new IntegrityError(`${folder}: expected a model, found concept models only`);
}

/**
 * Returns the concept models of a model and of its add-ons, in this order, by name.
 *
 * @throws ModelMissingError, IntegrityError as `readModel`; IntegrityError also when an add-on is
 *   for another space, or two concept models have one name
 */
export function placeConceptModels(
  folder: string,
  model: ModelManifest,
  addOns: readonly string[],
): ReadonlyMap<string, PlacedConceptModel> {
  const placed = new Map<string, PlacedConceptModel>();
  const place = (from: string, { conceptModels }: Manifest) => {
    for (const entry of conceptModels) {
      const other = placed.get(entry.name);
      if (other !== undefined) {
        throw new IntegrityError(
          `${from}: expected concept models of other names than in ${other.folder}, ` +
            `found ${entry.name} in both`,
        );
      }
      placed.set(entry.name, { folder: from, entry });
    }
  };
  place(folder, model);
  for (const addOn of addOns) place(addOn, readAddOn(addOn, folder, model));
  return placed;
}

function readAddOn(folder: string, modelFolder: string, model: ModelManifest): AddOnManifest {
  const addOn = readManifest(folder);
  if (addOn.kind !== 'conceptModels') {
    throw new IntegrityError(`${folder}: expected concept models only, found a model`);
  }
  for (const key of ['space', 'embeddingDim'] as const) {
    if (addOn[key] === model[key]) continue;
    throw new IntegrityError(
      `${folder}: ${key}: expected ${model[key]} as in ${modelFolder}, found ${addOn[key]}`,
    );
  }
  return addOn;
}

function readManifest(folder: string): Manifest {
  const path = join(folder, 'manifest.json');
  const sizeBytes = sizeOf(path);
  if (sizeBytes === null) throw new ModelMissingError(`${path}: expected a model, found no file`);
  if (sizeBytes > maxConfigBytes) {
    throw new IntegrityError(
      `${path}: expected at most ${maxConfigBytes} bytes, found ${sizeBytes}`,
    );
  }
  const manifest = parseManifest(readFileSync(path, 'utf8'), path);
  checkFileSizes(manifest, path, (file) => sizeOf(join(folder, file)));
  return manifest;
}

function sizeOf(path: string): number | null {
  return statSync(path, { throwIfNoEntry: false })?.size ?? null;
}
