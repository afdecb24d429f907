import { mkdirSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseConceptModelConfig } from '../../../server/model/parseConceptModelConfig.ts';
import {
  parseConfig,
  parseDecoderConfig,
  parseEncoderConfig,
} from '../../../server/model/parseConfig.ts';
import { largeTokenizer } from '../../support/largeTokenizer.ts';
import {
  type Checkpoint,
  checkpointBytes,
  writeRandomCheckpoint,
} from '../../support/randomCheckpoint.ts';
import {
  type Shapes,
  sonarDecoderShapes,
  sonarEncoderShapes,
  twoTowerLcmShapes,
} from '../../support/tinyShapes.ts';

/*
 * The files of the official models, of the same names, shapes, types and container, filled with
 * random numbers. They are made when they are asked for and stay for the next run:
 *
 *   THOUGHTLINE_BENCH_FOLDER   where they lie, `out/fullSize` when not given
 *   THOUGHTLINE_BENCH_DELETE   remove the folder in the end
 */

export const folder = process.env['THOUGHTLINE_BENCH_FOLDER'] ?? join('out', 'fullSize');

/** The model of transformers.js, made by `test/bench/rival/make.py`. */
export const rivalFolder = join(folder, 'rival');

/** What a decoder costs that nobody measures: one layer of 32 dimensions over the same vocabulary. */
const slightDecoder = {
  arch: 'basic',
  model_dim: 32,
  input_dim: 1024,
  num_decoder_layers: 1,
  num_decoder_attn_heads: 1,
  ffn_inner_dim: 32,
};

export const twoTowerName = 'two-tower';

/** Configurations by name. */
const configs = {
  sonar: {
    name: 'sonar-random',
    encoder: { arch: 'basic' },
    decoder: { arch: 'basic' },
    lcm: { [twoTowerName]: { arch: 'two_tower_diffusion_lcm_1_6B' } },
  },
  encoderOnly: { name: 'encoder-random', encoder: { arch: 'basic' }, decoder: slightDecoder },
};

const sonar = parseConfig(JSON.stringify(configs.sonar), 'sonar');
const slight = parseConfig(JSON.stringify(configs.encoderOnly), 'encoderOnly');

const checkpoints = {
  encoder: { type: 'float32', shapes: sonarEncoderShapes(parseEncoderConfig(sonar.encoder)) },
  decoder: tiedDecoder(sonarDecoderShapes(parseDecoderConfig(sonar.decoder))),
  slightDecoder: tiedDecoder(sonarDecoderShapes(parseDecoderConfig(slight.decoder))),
  twoTower: { type: 'float16', shapes: twoTowerShapes() },
} as const satisfies Record<string, Checkpoint>;

export type SourceName = keyof typeof checkpoints;

/**
 * Returns the path of a checkpoint, and writes it first when it is not there.
 *
 * @throws Error when the disk is too small
 */
export function checkpointFile(name: SourceName): string {
  const checkpoint: Checkpoint = checkpoints[name];
  const file = join(folder, `${name}.pt`);
  const sizeBytes = checkpointBytes(checkpoint);
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > sizeBytes) return file;
  requireSpace(sizeBytes);
  const start = performance.now();
  writeRandomCheckpoint(file, checkpoint);
  const seconds = (performance.now() - start) / 1000;
  process.stderr.write(`wrote ${file}: ${sizeBytes} bytes in ${seconds.toFixed(1)} s\n`);
  return file;
}

/** Returns the path of a configuration. */
export function configFile(name: keyof typeof configs): string {
  return writeSmall(`${name}.json`, JSON.stringify(configs[name]));
}

/** Returns the path of a tokenizer with as many pieces as NLLB's. */
export function tokenizerFile(): string {
  return writeSmall('tokenizer.model', largeTokenizer());
}

/** Throws unless the disk has that many bytes, and a tenth more, to spare. */
export function requireSpace(sizeBytes: number): void {
  mkdirSync(folder, { recursive: true });
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  if (free > 1.1 * sizeBytes) return;
  throw new Error(
    `${folder}: expected ${gigabytes(sizeBytes)} free, found ${gigabytes(free)}; ` +
      'THOUGHTLINE_BENCH_FOLDER names another place',
  );
}

/** Removes everything, if the user wants that. */
export function cleanUp(): void {
  if (process.env['THOUGHTLINE_BENCH_DELETE']) rmSync(folder, { recursive: true, force: true });
}

/** The projection is a name of its own for the storage of the embedding. */
function tiedDecoder(shapes: Shapes): Checkpoint {
  const [embedding, projection] = ['decoder_frontend.embed.weight', 'final_proj.weight'];
  return {
    type: 'float32',
    shapes: { ...shapes, [projection]: shapes[embedding] ?? [] },
    tied: { [projection]: embedding },
  };
}

function twoTowerShapes() {
  const fields = sonar.conceptModels.get(twoTowerName);
  const config = fields && parseConceptModelConfig(fields, []);
  if (config?.modelType !== 'two_tower_diffusion_lcm') throw new Error('expected a Two-Tower');
  return twoTowerLcmShapes(config);
}

function writeSmall(name: string, content: string | Uint8Array): string {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, name);
  writeFileSync(file, content);
  return file;
}

function gigabytes(sizeBytes: number): string {
  return `${(sizeBytes / 1e9).toFixed(1)} GB`;
}
