import assert from 'node:assert/strict';
import test from 'node:test';
import { WeightMismatchError } from '../../../../server/base/errors.ts';
import { readNormalizer } from '../../../../server/compiler/models/sonarNormalizer.ts';
import { closedFormVector, closedFormWeights } from '../../../support/closedForm.ts';
import { tinyBaseLcm, tinyTwoTowerLcm, toyBaseLcm } from '../../../support/tinyModels.ts';
import { baseLcmShapes, twoTowerLcmShapes } from '../../../support/tinyShapes.ts';

test('each family keeps its buffers in a place of its own', () => {
  const base = readNormalizer(closedFormWeights(baseLcmShapes(tinyBaseLcm)), tinyBaseLcm);
  assert.deepEqual(base?.center, closedFormVector('frontend.sonar_normalizer.center', 16));
  assert.deepEqual(base?.scale, closedFormVector('frontend.sonar_normalizer.scale', 16));
  const weights = closedFormWeights(twoTowerLcmShapes(tinyTwoTowerLcm));
  const twoTower = readNormalizer(weights, tinyTwoTowerLcm);
  assert.deepEqual(twoTower?.center, closedFormVector('sonar_normalizer.center', 16));
});

test('a model without a normaliser has none', () => {
  assert.equal(readNormalizer(closedFormWeights(baseLcmShapes(toyBaseLcm)), toyBaseLcm), null);
});

test('a missing or mis-shaped buffer is an error', () => {
  const key = 'sonar_normalizer.scale';
  const { [key]: _, ...rest } = twoTowerLcmShapes(tinyTwoTowerLcm);
  assert.throws(
    () => readNormalizer(closedFormWeights(rest), tinyTwoTowerLcm),
    WeightMismatchError,
  );
  const wrong = { ...rest, [key]: [17] };
  assert.throws(
    () => readNormalizer(closedFormWeights(wrong), tinyTwoTowerLcm),
    WeightMismatchError,
  );
});

test('a buffer that is not finite is an error', () => {
  const source = {
    ...closedFormWeights(twoTowerLcmShapes(tinyTwoTowerLcm)),
    read: () => new Float32Array(16).fill(Number.NaN),
  };
  assert.throws(() => readNormalizer(source, tinyTwoTowerLcm), WeightMismatchError);
});
