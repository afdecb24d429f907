import { dirname, join } from 'node:path';
import { CheckpointFormatError } from '../../base/errors.ts';
import { type ByteSource, FileByteSource } from './byteSource.ts';
import { isIndex, readTensors } from './container.ts';
import { isJsonObject, parseLimitedJson } from './headerJson.ts';
import { show, showName } from './showValue.ts';
import type { StoredTensor } from './storedTensor.ts';

/*
 * The index of a checkpoint in several files, model.safetensors.index.json or
 * pytorch_model.bin.index.json:
 *
 *   { "metadata": { … }, "weight_map": { name: file beside the index, … } }
 *
 * reference: huggingface_hub, split_state_dict_into_shards_factory; transformers, load_sharded_checkpoint
 */

/** In which file each tensor is, by the tensor's name. */
type WeightMap = ReadonlyMap<string, string>;

/** A tensor takes about 100 bytes; this is room for 100,000. */
const maxIndexBytes = 16 * 1024 * 1024;

/** Name and file of 100,000 tensors; the largest models we read have fewer than 2,000. */
const maxIndexValues = 100_000;

/** { weight_map: { name: file } } has two levels; trainers put what they like into metadata. */
const maxIndexDepth = 8;

/** The largest published models have 163. All are open at once, and macOS opens at most 256. */
const maxShards = 200;

/**
 * Returns the files that a checkpoint consists of: itself, and those that it is the index of.
 *
 * @throws CheckpointFormatError when it is missing, or an index that is malformed
 */
export function filesOfCheckpoint(file: string): string[] {
  const source = new FileByteSource(file);
  try {
    if (!isIndex(source)) return [file];
    const shards = new Set(readWeightMap(source).values());
    return [file, ...[...shards].sort().map((shard) => fileBeside(file, shard))];
  } finally {
    source.dispose();
  }
}

/**
 * Reads the tables of contents of all files of an index, which have to agree with it.
 *
 * @param index  the bytes of the index
 * @param open   opens a file beside it; whoever gives it also closes
 * @returns the tensors, file by file
 * @throws CheckpointFormatError when the index or a file is malformed, or they do not agree
 * @throws CheckpointUnsupportedError for what we do not read
 */
export function readShards(
  index: ByteSource,
  open: (file: string) => ByteSource,
): Map<string, StoredTensor> {
  const weightMap = readWeightMap(index);
  const tensors = new Map<string, StoredTensor>();
  for (const shard of [...new Set(weightMap.values())].sort()) {
    const source = open(fileBeside(index.label, shard));
    for (const [name, tensor] of readTensors(source)) {
      if (weightMap.get(name) !== shard) {
        const found = show(weightMap.get(name) ?? null);
        throw new CheckpointFormatError(
          `${source.label}: ${showName(name)}: expected this file in the index, found ${found}`,
        );
      }
      tensors.set(name, tensor);
    }
  }
  for (const [name, shard] of weightMap) {
    if (tensors.has(name)) continue;
    throw new CheckpointFormatError(
      `${index.label}: ${showName(name)}: expected a tensor in ${showName(shard)}, found none`,
    );
  }
  return tensors;
}

function fileBeside(index: string, shard: string): string {
  return join(dirname(index), shard);
}

function readWeightMap(source: ByteSource): WeightMap {
  const { label } = source;
  const index = parseIndex(source);
  const weightMap = isJsonObject(index) ? index['weight_map'] : undefined;
  if (!isJsonObject(weightMap)) {
    throw new CheckpointFormatError(`${label}: expected a weight_map, found ${show(weightMap)}`);
  }
  const map = new Map<string, string>();
  for (const [name, shard] of Object.entries(weightMap)) {
    if (typeof shard !== 'string' || !isBareName(shard)) {
      throw new CheckpointFormatError(
        `${label}: ${showName(name)}: expected the name of a file beside, found ${show(shard)}`,
      );
    }
    map.set(name, shard);
  }
  const numShards = new Set(map.values()).size;
  if (numShards < 1 || numShards > maxShards) {
    throw new CheckpointFormatError(
      `${label}: expected 1 to ${maxShards} files, found ${numShards}`,
    );
  }
  return map;
}

function parseIndex(source: ByteSource): unknown {
  if (source.sizeBytes > maxIndexBytes) {
    throw new CheckpointFormatError(
      `${source.label}: expected an index of at most ${maxIndexBytes} bytes, found ${source.sizeBytes}`,
    );
  }
  const bytes = new Uint8Array(source.sizeBytes);
  source.read(0, bytes);
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return parseLimitedJson(text, { maxDepth: maxIndexDepth, maxValues: maxIndexValues });
  } catch (cause) {
    throw new CheckpointFormatError(
      `${source.label}: expected an index in JSON, found other text`,
      {
        cause,
      },
    );
  }
}

/** Returns true for a name that cannot lead out of the folder, on any platform. */
function isBareName(name: string): boolean {
  return /^[^/\\:\0]{1,255}$/.test(name) && name !== '.' && name !== '..';
}
