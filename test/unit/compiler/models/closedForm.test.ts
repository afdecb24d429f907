import assert from 'node:assert/strict';
import test from 'node:test';
import { closedFormValues, closedFormWeights, fmix32, fnv1a } from '../../../support/closedForm.ts';
import { assertClose } from '../../../support/graphSession.ts';
import { tinySonarEncoder } from '../../../support/tinyModels.ts';
import { sonarEncoderShapes } from '../../../support/tinyShapes.ts';

/*
 * Golden values hold only for the weights they were made with, so the rule of the weights has
 * golden values of its own.
 */

test('the hashes are FNV-1a and the finaliser of MurmurHash3', () => {
  const names = ['', 'a', 'layer_norm.weight', 'center', 'latent'];
  const hashes = [0x811c9dc5, 0xe40c292c, 0x78987b81, 0x058c4484, 0x4f68098b];
  assert.deepEqual(names.map(fnv1a), hashes);
  const mixed = [0, 1364076727, 821347078, 233162409];
  assert.deepEqual([0, 1, 2, 0xdeadbeef].map(fmix32), mixed);
});

test('values and weights begin as in the reference models', () => {
  const latent = [0.17110096, -0.76209892, -0.95267778, 0.71445998];
  assertClose(closedFormValues('latent', 4), latent, 1e-8);
  const weights = closedFormWeights(sonarEncoderShapes(tinySonarEncoder));
  const check = (name: string, expected: readonly number[]) =>
    assertClose(weights.read(name).slice(0, 4), expected, 1e-8);
  check('encoder_frontend.embed.weight', [-0.26696792, -0.15929282, 0.011331878, -0.30305696]);
  check('layer_norm.bias', [-0.050557081, -0.0099021979, -0.0074412799, -0.0076323496]);
  const innerProj = [-0.13125795, 0.28947738, 0.20634399, -0.081962585];
  check('encoder.layers.1.ffn.inner_proj.weight', innerProj);
});
