import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InvalidRequestError } from '../../../server/base/errors.ts';
import {
  conceptModelArchitectures,
  decoderArchitectures,
  encoderArchitectures,
} from '../../../server/model/architectures.ts';
import { precisions } from '../../../server/model/manifest.ts';
import { conceptModelName } from '../../../server/model/parseConceptModelEntry.ts';
import { catalogue, fileUrl, findEntry } from '../../../server/store/catalogue.ts';
import { compiledBytes, downloadBytes, memoryBytes } from '../../../server/store/estimate.ts';
import { installedName } from '../../../server/store/installer.ts';

const files = catalogue.flatMap((entry) => entry.files);

test('every entry can be compiled: names, architectures, parts', () => {
  assert.equal(new Set(catalogue.map(({ id }) => id)).size, catalogue.length);
  for (const entry of catalogue) {
    for (const precision of [null, ...precisions]) {
      assert.match(installedName(entry, precision), conceptModelName);
    }
    const roles = entry.files.map(({ role }) => role);
    const needed = entry.kind === 'model' ? ['encoder', 'decoder', 'tokenizer'] : ['conceptModel'];
    assert.ok(needed.every((role) => roles.some((given) => given === role)));
    const { encoder, decoder, conceptModel } = entry.archs;
    for (const [arch, known] of [
      [encoder, encoderArchitectures],
      [decoder, decoderArchitectures],
      [conceptModel, conceptModelArchitectures],
    ] as const) {
      if (arch !== undefined) assert.ok(Object.hasOwn(known, arch), arch);
    }
    assert.ok(conceptModel !== undefined || roles.includes('conceptModelConfig') || encoder);
  }
});

test('every file has an address over https, and one name means one file', () => {
  const byName = new Map<string, string>();
  for (const { name, url, length, digest } of files) {
    assert.equal(new URL(url).protocol, 'https:');
    assert.match(name, /^[a-z0-9][\w.-]*$/);
    assert.equal(byName.get(name) ?? url, url);
    byName.set(name, url);
    if (digest.state === 'known') assert.match(digest.sha256, /^[0-9a-f]{64}$/);
    assert.ok(digest.state === 'unknown' || length.state === 'known');
    assert.ok(length.bytes > 0);
  }
});

test('whatever runs through SONAR asks for consent to its licence', () => {
  for (const { space, licence } of catalogue) {
    if (space === 'sonar') assert.equal(licence.id, 'CC-BY-NC-4.0');
  }
});

test('a mirror has the files under the same paths', () => {
  const [encoder] = findEntry(catalogue, 'sonar').files;
  const [mimir] = findEntry(catalogue, 'mimir-1-6b').files;
  assert.ok(encoder && mimir);
  for (const [mirror, expected] of [
    ['', 'https://dl.fbaipublicfiles.com/SONAR/sonar_text_encoder.pt'],
    ['https://mirror.example', 'https://mirror.example/SONAR/sonar_text_encoder.pt'],
    ['https://mirror.example/a/b', 'https://mirror.example/a/b/SONAR/sonar_text_encoder.pt'],
    ['https://mirror.example/a/?k=1', 'https://mirror.example/a/SONAR/sonar_text_encoder.pt'],
  ] as const) {
    assert.equal(fileUrl(encoder, mirror).href, expected);
  }
  assert.equal(
    fileUrl(mimir, 'https://mirror.example').href,
    'https://mirror.example/mimir-lcm/Mimir-1.6B/resolve/main/model.pt',
  );
  assert.throws(() => fileUrl(encoder, 'mirror'), InvalidRequestError);
});

test('an entry is found as the hub spells it', () => {
  assert.equal(findEntry(catalogue, 'Mimir-1.6B-Instruct').id, 'mimir-1-6b-instruct');
  assert.throws(
    () => findEntry(catalogue, 'Mimir-70B'),
    (error) => error instanceof InvalidRequestError && /found Mimir-70B/.test(error.message),
  );
});

test('sizes follow from the parameters', () => {
  const sonar = findEntry(catalogue, 'sonar');
  const bytes = { fp32: 4, fp16: 2, int8: 1, int4: 0.625 };
  for (const precision of precisions) {
    assert.equal(compiledBytes(1000, precision), 1000 * bytes[precision]);
  }
  // What is published is float32; the compiler folds some of it away.
  const fp32 = compiledBytes(sonar.parameters, 'fp32');
  assert.ok(fp32 < downloadBytes(sonar.files) && fp32 > 0.95 * downloadBytes(sonar.files));
  assert.ok(memoryBytes(sonar, 'int8') > compiledBytes(sonar.parameters, 'int8'));
});
