import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

/*
 * A model compiles to the same bytes from any layout of its checkpoints.
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
};

/** Sizes and digests of the files that a compilation makes. */
async function compiledFiles(changed: Partial<TinySources>) {
  const outDir = join(root, 'model');
  const files = manifestFiles(await compileModel({ ...sources, ...changed, outDir }));
  rmSync(outDir, { recursive: true });
  return files;
}

function store(tensors: Tensors): string {
  const file = join(root, 'checkpoint');
  writeFileSync(file, storeWeights(weightsOf(file, tensors)));
  return file;
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

const expected = compiledFiles({});

for (const [name, changed] of Object.entries(layouts)) {
  test(`${name} compiles to the same bytes`, async () => {
    const whole = await expected;
    assert.deepEqual(await compiledFiles(changed()), whole);
  });
}
