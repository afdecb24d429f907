import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AvailableModel, InstalledModel } from '../../../protocol/server.ts';
import {
  choiceOf,
  inOrderOfInterest,
  type ModelChoice,
  modelInUse,
  sizeOf,
} from '../../../src/modelChoices.ts';

function model(name: string, facts: Partial<InstalledModel> = {}): InstalledModel {
  return {
    name,
    title: name,
    isBuiltIn: false,
    state: 'ready',
    kind: 'model',
    space: 'sonar',
    precision: 'int8',
    sizeBytes: 1,
    conceptModels: [],
    licence: null,
    files: [],
    folder: `/models/${name}`,
    ...facts,
  };
}

const builtIn = model('small', { isBuiltIn: true, space: 'small', conceptModels: ['base'] });
const sonar = model('sonar');
const broken = model('a-sonar', { state: 'damaged' });
const mimir = model('mimir', { kind: 'conceptModels', conceptModels: ['mimir'] });
const other = model('other', { kind: 'conceptModels', space: 'elsewhere', conceptModels: ['x'] });
const installed = [builtIn, broken, mimir, other, sonar];

/** Checks what choosing a model writes, by the setting as it is. */
function checkChoice(chosen: InstalledModel, current: string, expected: ModelChoice): void {
  const { name, conceptModels } = chosen;
  const kind = chosen.kind ?? 'model';
  const space = chosen.space ?? '';
  assert.deepEqual(choiceOf({ name, kind, space, conceptModels }, installed, current), expected);
}

test('a model is used by its name, the built-in one by none', () => {
  checkChoice(sonar, '', { name: 'sonar' });
  checkChoice(builtIn, 'sonar', { name: '' });
});

test('a concept model takes an intact model of its space along, where none is in use', () => {
  checkChoice(mimir, '', { conceptModel: 'mimir', name: 'sonar' });
  checkChoice(mimir, '/elsewhere/folder', { conceptModel: 'mimir', name: 'sonar' });
  checkChoice(mimir, 'sonar', { conceptModel: 'mimir' });
  checkChoice(other, 'sonar', { conceptModel: 'x' });
});

test('the model in use is found by the setting', () => {
  assert.equal(modelInUse(installed, ''), builtIn);
  assert.equal(modelInUse(installed, 'small'), builtIn);
  assert.equal(modelInUse(installed, 'sonar'), sonar);
  assert.equal(modelInUse(installed, '/elsewhere'), undefined);
});

test('what was begun is on top', () => {
  const needs = { diskBytes: 1, memoryBytes: 1 };
  const available = (id: string, fetchedBytes: number, isInstalled = false): AvailableModel => ({
    id,
    title: id,
    kind: 'model',
    space: 'sonar',
    summary: '',
    languages: '',
    licence: { id: 'MIT', url: '', meaning: '' },
    weightsLicence: null,
    alsoInstalls: [],
    isInstalled,
    downloadBytes: 1,
    fetchedBytes,
    needs: { fp32: needs, fp16: needs, int8: needs, int4: needs },
  });
  const models = [available('a', 0), available('b', 9, true), available('c', 9)];
  const list = { installed, available: models, freeBytes: 1 };
  assert.deepEqual(
    inOrderOfInterest(list).map(({ id }) => id),
    ['c', 'a', 'b'],
  );
});

test('sizes are short', () => {
  for (const [bytes, expected] of [
    [0, '0 kB'],
    [1, '1 kB'],
    [1_500_000, '2 MB'],
    [999_400_000, '999 MB'],
    [6_540_000_000, '6.5 GB'],
    [13_861_563_392, '13.9 GB'],
  ] as const) {
    assert.equal(sizeOf(bytes), expected);
  }
});
