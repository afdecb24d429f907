import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { InferenceSession } from 'onnxruntime-node';
import { InvalidRequestError, WeightMismatchError } from '../../../server/base/errors.ts';
import { compileModel } from '../../../server/compiler/compile.ts';
import { type ModelManifest, precisions } from '../../../server/model/manifest.ts';
import { manifestFiles, parseManifest } from '../../../server/model/parseManifest.ts';
import { concatenate, norm, scale } from '../../../server/tensor/vector.ts';
import { closedFormWeights } from '../../support/closedForm.ts';
import { type Changes, compileFolders, compileWhole } from '../../support/compileFolders.ts';
import { storeTensor, writeSafetensors } from '../../support/safetensorsWriter.ts';
import { tinyConfig, tinyShapes } from '../../support/tinySources.ts';
import { writeTorchCheckpoint, writtenTensor } from '../../support/torchWriter.ts';

const { sources, target, request, written } = compileFolders();

test('a compiled folder holds what its manifest says, and every graph loads', async () => {
  for (const precision of precisions) {
    const outDir = join(target, precision);
    const manifest = await compileModel({ ...request(), precision, outDir });
    const text = readFileSync(join(outDir, 'manifest.json'), 'utf8');
    assert.deepEqual(parseManifest(text, 'manifest.json'), manifest);
    const files = manifestFiles(manifest);
    assert.deepEqual(
      readdirSync(outDir).sort(),
      ['manifest.json', ...files.map(({ file }) => file)].sort(),
    );
    for (const { file, sizeBytes, sha256 } of files) {
      const bytes = readFileSync(join(outDir, file));
      assert.equal(bytes.length, sizeBytes, file);
      assert.equal(createHash('sha256').update(bytes).digest('hex'), sha256, file);
      if (file.endsWith('.onnx')) {
        const session = await InferenceSession.create(join(outDir, file), { logSeverityLevel: 3 });
        assert.ok(session.outputNames.length > 0);
        await session.release();
      }
    }
  }
});

/** Writes a tiny part anew: as torch.save would, or in two files with an index. */
function writeAnew(part: 'encoder' | 'base', container: 'torch' | 'shards'): string {
  const weights = closedFormWeights(tinyShapes[part]);
  const written = weights.names().map((name) => {
    const bytes = new Uint8Array(weights.read(name).buffer);
    return writtenTensor(name, 'float32', weights.shape(name), bytes);
  });
  if (container === 'torch') {
    writeTorchCheckpoint(join(sources, `${part}.pt`), written);
    return join(sources, `${part}.pt`);
  }
  const shardOf = (index: number) => `${part}.${index % 2}.bin`;
  for (const shard of [shardOf(0), shardOf(1)]) {
    const mine = written.filter((_, index) => shardOf(index) === shard);
    writeTorchCheckpoint(join(sources, shard), mine, { nest: null });
  }
  const weightMap = written.map(({ name }, index) => [name, shardOf(index)]);
  const index = join(sources, `${part}.index.json`);
  writeFileSync(index, JSON.stringify({ weight_map: Object.fromEntries(weightMap) }));
  return index;
}

test('the container of a checkpoint changes nothing but the digest of the sources', async () => {
  const plain = await compileModel(request());
  const files = request();
  const changed = await compileModel({
    ...files,
    encoder: writeAnew('encoder', 'torch'),
    lcms: { ...files.lcms, base: writeAnew('base', 'shards') },
    outDir: join(target, 'changed'),
  });
  assert.deepEqual(manifestFiles(changed), manifestFiles(plain));
  assert.notEqual(changed.sourceDigest, plain.sourceDigest);
});

test('the manifest tells the hyper-parameters and the file names of the contract', async () => {
  const manifest = await compileWhole(request());
  const { encoder, decoder, conceptModels, tokenizer } = manifest;
  assert.deepEqual([manifest.name, manifest.space], ['tiny', 'tiny']);
  assert.equal(manifest.embeddingDim, 32);
  assert.equal(encoder.maxSeqLen, 18);
  assert.equal(manifest.entropy?.maxSeqLen, 24);
  assert.equal(encoder.precision, 'int8');
  assert.equal(decoder.headDim, 8);
  assert.deepEqual(
    [tokenizer.langs, tokenizer.defaultLang],
    [['eng_Latn', 'fra_Latn'], 'eng_Latn'],
  );
  assert.deepEqual(
    conceptModels.map(({ family, name }) => [family, name]),
    [
      ['base_lcm', 'base'],
      ['two_tower_diffusion_lcm', 'two-tower'],
      ['one_tower_diffusion_lcm', 'one-tower'],
      ['quant_lcm', 'quant-c'],
      ['quant_lcm', 'quant-d'],
      ['sonar_llm', 'sonar-llm'],
    ],
  );
  assert.deepEqual(readdirSync(join(target, 'model')).sort(), [
    'base.lcm.bin',
    'base.lcm.onnx',
    'base.normalizer.bin',
    'decoder.prepare.bin',
    'decoder.prepare.onnx',
    'decoder.step.bin',
    'decoder.step.onnx',
    'directions.bin',
    'encoder.bin',
    'encoder.onnx',
    'entropy.bin',
    'entropy.onnx',
    'manifest.json',
    'one-tower.lcm.bin',
    'one-tower.lcm.onnx',
    'one-tower.normalizer.bin',
    'quant-c.codebooks.bin',
    'quant-c.lcm.bin',
    'quant-c.lcm.onnx',
    'quant-c.normalizer.bin',
    'quant-d.codebooks.bin',
    'quant-d.lcm.bin',
    'quant-d.lcm.onnx',
    'quant-d.normalizer.bin',
    'sonar-llm.lcm.bin',
    'sonar-llm.lcm.onnx',
    'tokenizer.model',
    'two-tower.context.bin',
    'two-tower.context.onnx',
    'two-tower.crossAttention.bin',
    'two-tower.crossAttention.onnx',
    'two-tower.denoiser.bin',
    'two-tower.denoiser.onnx',
    'two-tower.normalizer.bin',
  ]);
});

test('a model without a name of its own is called like its folder', async () => {
  const { name: _, ...config } = tinyConfig;
  assert.equal((await compileModel(request({ config }))).name, 'model');
});

test('the request names the model and its space over the configuration', async () => {
  const named = await compileModel({ ...request(), name: 'mine', space: 'ours' });
  assert.deepEqual([named.name, named.space], ['mine', 'ours']);
  const config = { ...tinyConfig, space: 'theirs' };
  assert.equal((await compileModel(request({ config }))).space, 'theirs');
});

test('each part has its own precision', async () => {
  const precision = { encoder: 'fp32', conceptModels: 'fp32' } as const;
  const { encoder, decoder, conceptModels } = await compileWhole({ ...request(), precision });
  assert.deepEqual(
    [encoder, decoder, ...conceptModels].map((part) => part.precision),
    ['fp32', 'int8', ...conceptModels.map(() => 'fp32')],
  );
});

test('a shortlist cuts the decoder down, and one of all tokens changes no other file', async () => {
  const config = { ...tinyConfig, tokenizer: { langs: ['eng_Latn', 'rus_Cyrl'] } };
  const plain = await compileWhole(request({ config }));
  const compileFor = (vocabularyLangs: string[]) => {
    const outDir = join(target, vocabularyLangs.join('+'));
    return compileWhole({ ...request({ config }), vocabularyLangs, outDir });
  };
  assert.equal(plain.decoder.shortlist, null);

  // All pieces of the tiny tokenizer are ASCII.
  const latin = await compileFor(['rus_Cyrl', 'eng_Latn']);
  const { shortlist } = latin.decoder;
  assert.ok(shortlist);
  assert.deepEqual(shortlist.langs, ['eng_Latn', 'rus_Cyrl']);
  assert.deepEqual(
    manifestFiles(latin).filter(({ file }) => file !== shortlist.file.file),
    manifestFiles(plain),
  );
  assert.notEqual(latin.sourceDigest, plain.sourceDigest);
  const idsOf = (folder: string) => {
    const bytes = readFileSync(join(target, folder, 'decoder.shortlist.bin'));
    return Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readInt32LE(4 * i));
  };
  assert.deepEqual(
    idsOf('rus_Cyrl+eng_Latn'),
    Array.from({ length: 40 }, (_, id) => id),
  );

  const cyrillic = await compileFor(['rus_Cyrl']);
  assert.deepEqual(cyrillic.decoder.shortlist?.langs, ['rus_Cyrl']);
  assert.equal(cyrillic.decoder.vocabSize, 40);
  assert.deepEqual(idsOf('rus_Cyrl'), [
    0,
    1,
    2,
    3,
    ...[30, 31, 32, 33, 34],
    ...[35, 36, 37, 38, 39],
  ]);
  const stepBytes = ({ decoder }: ModelManifest) => decoder.step.weights.sizeBytes;
  // A token is 32 bytes in a table that look-up and projection share, and a scale of 4.
  const tokenBytes = 36;
  const saved = stepBytes(plain) - stepBytes(cyrillic);
  assert.ok(Math.abs(saved - 26 * tokenBytes) < 256, `${saved} bytes`); // up to alignment
});

test('languages of a vocabulary that is not there are refused', async () => {
  const { lcms, config, outDir } = request();
  for (const [sources, message] of [
    [{ ...request(), vocabularyLangs: [] }, /^vocabulary languages: expected some .*found none/],
    [{ lcms, config, outDir, space: 'tiny', vocabularyLangs: ['eng_Latn'] }, /found no decoder/],
    [{ ...request(), vocabularyLangs: ['rus_Cyrl'] }, /^vocabulary language rus_Cyrl: expected/],
  ] as const) {
    await assert.rejects(compileModel(sources), (error) => {
      assert.ok(error instanceof InvalidRequestError, String(error));
      assert.match(error.message, message);
      return true;
    });
  }
  assert.deepEqual(written(), []);
});

test('concept models without an encoder make an add-on with the same graphs', async () => {
  const { lcms, config, outDir } = request();
  const whole = await compileModel(request());
  const addOn = await compileModel({ lcms, config, outDir: `${outDir}-add-on`, space: 'tiny' });
  assert.equal(addOn.kind, 'conceptModels');
  assert.deepEqual([addOn.space, addOn.embeddingDim], ['tiny', 32]);
  assert.deepEqual(addOn.conceptModels, whole.conceptModels);
  assert.deepEqual(
    readdirSync(`${outDir}-add-on`).sort(),
    ['manifest.json', ...manifestFiles(addOn).map(({ file }) => file)].sort(),
  );
  assert.notEqual(addOn.sourceDigest, whole.sourceDigest);
  // An add-on takes the place of an older one.
  const [first] = Object.entries(lcms);
  assert.ok(first);
  const other = { lcms: Object.fromEntries([first]), config, space: 'tiny' };
  const replaced = await compileModel({ ...other, outDir: `${outDir}-add-on` });
  assert.equal(replaced.conceptModels.length, 1);
});

test('sources that make neither a model nor an add-on are told what they lack', async () => {
  const { encoder: _, ...withoutEncoder } = request();
  const { lcms, config, outDir, tokenizer } = request();
  for (const [sources, message] of [
    [withoutEncoder, /^encoder: expected encoder, decoder and tokenizer together/],
    [{ lcms, config, outDir, tokenizer }, /^encoder, decoder: expected/],
    [{ lcms: {}, config, outDir }, /^lcm: expected a concept model for an add-on/],
    [{ lcms, config, outDir }, /^space: expected the name of the space .*32 numbers a concept/],
  ] as const) {
    await assert.rejects(compileModel(sources), (error) => {
      assert.ok(error instanceof InvalidRequestError, String(error));
      assert.match(error.message, message);
      return true;
    });
  }
  assert.deepEqual(written(), []);
});

test('a model may do without an entropy model; one without a configuration is refused', async () => {
  const { entropy, ...others } = request();
  assert.equal((await compileWhole(others)).entropy, null);
  const { entropy: _, ...config } = tinyConfig;
  const bare = { ...request({ config }), outDir: join(target, 'bare') };
  await assert.rejects(compileModel(bare), {
    code: 'modelCorrupt',
    message: /config\.json: entropy\.vocab_size: expected an integer/,
  });
  assert.ok(entropy.endsWith('entropy.safetensors'));
});

test('directions come in the order of the configuration, each of length 1', async () => {
  const manifest = await compileWhole(request());
  assert.deepEqual(manifest.directions?.names, ['shorter', 'longer']);
  const bytes = readFileSync(join(target, 'model', 'directions.bin'));
  const vectors = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const expected = ['shorter', 'longer'].map((name) => {
    const whole = closedFormWeights(tinyShapes.directions).read(name);
    return scale(1 / norm(whole), whole);
  });
  assert.deepEqual(vectors, concatenate(expected));
  const { directions, ...others } = request();
  assert.ok(directions.endsWith('directions.safetensors'));
  assert.equal((await compileWhole(others)).directions, null);
});

test('directions of another length, too few, too many, without names or numbers are refused', async () => {
  const E = 32;
  const cases: [Changes, RegExp][] = [
    [
      { shapes: { directions: { shorter: [E], longer: [E - 1] } } },
      /longer: expected \[32\], found/,
    ],
    [
      { shapes: { directions: { shorter: [E], longer: [1, E] } } },
      /longer: expected \[32\], found/,
    ],
    [{ shapes: { directions: { shorter: [E] } } }, /longer: expected \[32\], found no such key/],
    [{ shapes: { directions: { shorter: [E], longer: [E], more: [E] } } }, /others: more/],
    [{ config: { ...tinyConfig, directions: [] } }, /names of directions, found none/],
  ];
  for (const [changes, message] of cases) {
    await assert.rejects(compileModel(request(changes)), (error) => {
      assert.ok(error instanceof WeightMismatchError);
      assert.match(error.message, message);
      return true;
    });
  }
  for (const [value, message] of [
    [0, /shorter: expected a direction, found zeros/],
    [Number.NaN, /shorter: expected finite numbers, found NaN/],
  ] as const) {
    const given = request();
    const filled = storeTensor('F32', [E], new Float32Array(E).fill(value));
    const file = writeSafetensors({ shorter: filled, longer: filled });
    writeFileSync(given.directions, file);
    await assert.rejects(compileModel(given), { code: 'modelUnsupported', message });
  }
});

test('progress rises to 1 and names the parts', async () => {
  const fractions: number[] = [];
  const labels = new Set<string>();
  await compileModel(request(), {
    onProgress: (fraction, label) => {
      fractions.push(fraction);
      labels.add(label);
    },
  });
  const codec = ['tokenizer', 'encoder', 'decoder', 'entropy', 'directions'];
  const parts = [...codec, ...Object.keys(tinyConfig.lcm)];
  assert.deepEqual([...labels], parts);
  assert.ok(fractions.every((fraction, i) => fraction >= (fractions[i - 1] ?? 0)));
  assert.equal(fractions.at(-1), 1);
});
