import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, test } from 'node:test';
import { compileModel } from '../../../server/compiler/compile.ts';
import { manifestFiles } from '../../../server/model/parseManifest.ts';
import { closedFormWeights } from '../../support/closedForm.ts';
import {
  asFairseq,
  asM2m100,
  renamed,
  type Tensors,
  tensorsOf,
  weightsOf,
} from '../../support/layouts.ts';
import {
  storeWeights,
  type TinySources,
  tinyShapes,
  writeTinySources,
} from '../../support/tinySources.ts';
import { torchCheckpoint, writtenTensor } from '../../support/torchWriter.ts';

/*
 * A model compiles to the same bytes from any layout of its checkpoints, in any container.
 */

const root = mkdtempSync(join(tmpdir(), 'thoughtline-layouts-'));
after(() => rmSync(root, { recursive: true }));

const sourceFolder = join(root, 'sources');
mkdirSync(sourceFolder);
const sources: TinySources = { ...writeTinySources(sourceFolder), precision: 'fp32' };
const parts = {
  encoder: tensorsOf(closedFormWeights(tinyShapes.encoder)),
  decoder: tensorsOf(closedFormWeights(tinyShapes.decoder)),
  base: tensorsOf(closedFormWeights(tinyShapes.base)),
  'two-tower': tensorsOf(closedFormWeights(tinyShapes['two-tower'])),
  'sonar-llm': tensorsOf(closedFormWeights(tinyShapes['sonar-llm'])),
};

/** Sizes and digests of the files that a compilation makes. */
async function compiledFiles(changed: Partial<TinySources>) {
  const outDir = join(root, 'model');
  const files = manifestFiles(await compileModel({ ...sources, ...changed, outDir }));
  rmSync(outDir, { recursive: true });
  return files;
}

let numFiles = 0;

/** Writes a file that does not say in its name what it is. */
function write(bytes: Uint8Array | string): string {
  numFiles += 1;
  const file = join(root, `checkpoint-${numFiles}`);
  writeFileSync(file, bytes);
  return file;
}

function store(tensors: Tensors): string {
  return write(storeWeights(weightsOf('file', tensors)));
}

/** Writes a file of torch.save, with the state dict under a key. */
function storeTorch(tensors: Tensors, nest: string | null): string {
  const written = [...tensors].map(([name, { shape, values }]) =>
    writtenTensor(name, 'float32', shape, new Uint8Array(values.buffer)),
  );
  return write(torchCheckpoint(written, { nest }));
}

/** Writes two files and their index. */
function storeShards(tensors: Tensors): string {
  const entries = [...tensors];
  const half = Math.ceil(entries.length / 2);
  const shards = [entries.slice(0, half), entries.slice(half)];
  const weightMap = shards.flatMap((shard) => {
    const file = basename(store(new Map(shard)));
    return shard.map(([name]) => [name, file] as const);
  });
  return write(JSON.stringify({ weight_map: Object.fromEntries(weightMap) }));
}

const shared = ['model.shared.weight'];

const layouts: Readonly<Record<string, () => Partial<TinySources>>> = {
  'a whole M2M100 with tied copies, as encoder and decoder': () => {
    const file = store(
      new Map([
        ...asM2m100(parts.encoder, {
          prefix: 'model.encoder.',
          embed: ['model.encoder.embed_tokens.weight'],
        }),
        ...asM2m100(parts.decoder, {
          prefix: 'model.decoder.',
          embed: ['model.decoder.embed_tokens.weight', 'lm_head.weight'],
        }),
      ]),
    );
    return { encoder: file, decoder: file };
  },
  'an encoder as M2M100Encoder': () => ({
    encoder: store(asM2m100(parts.encoder, { prefix: '', embed: ['embed_tokens.weight'] })),
  }),
  'a decoder as M2M100ForConditionalGeneration': () => ({
    decoder: store(asM2m100(parts.decoder, { prefix: 'model.decoder.', embed: shared })),
  }),
  'an encoder of fairseq': () => ({ encoder: store(asFairseq(parts.encoder, '')) }),
  'a decoder of fairseq': () => ({ decoder: store(asFairseq(parts.decoder, 'decoder.')) }),
  'a Base-LCM of data-parallel training': () => ({
    lcms: { ...sources.lcms, base: store(renamed(parts.base, (name) => `module.${name}`)) },
  }),
  'a Two-Tower of a compiled module': () => ({
    lcms: {
      ...sources.lcms,
      'two-tower': store(renamed(parts['two-tower'], (name) => `_orig_mod.${name}`)),
    },
  }),
};

const containers: typeof layouts = {
  'fairseq2 files of torch.save': () => ({
    encoder: storeTorch(parts.encoder, 'model'),
    decoder: storeTorch(parts.decoder, null),
  }),
  'an M2M100 of several files': () => {
    const options = { prefix: 'model.decoder.', embed: shared };
    return { decoder: storeShards(asM2m100(parts.decoder, options)) };
  },
  "the trainer's files of LCMs": () => ({
    lcms: {
      ...sources.lcms,
      base: storeTorch(
        renamed(parts.base, (name) => `module.${name}`),
        'model',
      ),
      'two-tower': storeTorch(parts['two-tower'], 'model'),
    },
  }),
  'the training checkpoint of a SONAR-LLM with its frozen decoder': () => {
    const frozen = renamed(parts.decoder, (name) => `sonar_decoder.model.${name}`);
    const all = renamed(new Map([...parts['sonar-llm'], ...frozen]), (name) => `module.${name}`);
    return { lcms: { ...sources.lcms, 'sonar-llm': storeTorch(all, 'model_state_dict') } };
  },
  'a SONAR-LLM without the tables of tokens': () => {
    const body = [...parts['sonar-llm']].filter(([name]) => !/embed_tokens|lm_head/.test(name));
    return { lcms: { ...sources.lcms, 'sonar-llm': storeTorch(new Map(body), null) } };
  },
};

const expected = compiledFiles({});

for (const [name, changed] of Object.entries({ ...layouts, ...containers })) {
  test(`${name} compiles to the same bytes`, async () => {
    const whole = await expected;
    assert.deepEqual(await compiledFiles(changed()), whole);
  });
}
