import assert from 'node:assert/strict';
import test from 'node:test';
import { WeightMismatchError } from '../../../../server/base/errors.ts';
import { GraphBuilder } from '../../../../server/compiler/onnx/builder.ts';
import { CheckpointWeights } from '../../../../server/compiler/onnx/checkpointWeights.ts';
import { Scope } from '../../../../server/compiler/onnx/scope.ts';
import { serialize } from '../../../../server/compiler/onnx/serialize.ts';
import type { WeightSource } from '../../../../server/compiler/onnx/weights.ts';
import { closedFormWeights } from '../../../support/closedForm.ts';

const shapes = {
  'layers.0.fc.weight': [4, 2],
  'layers.0.fc.bias': [4],
  'layers.1.fc.weight': [4, 2],
};

function openScope(source: WeightSource = closedFormWeights(shapes)) {
  const builder = new GraphBuilder('scope');
  const weights = new CheckpointWeights(source);
  return { builder, weights, scope: new Scope({ builder, weights, precision: 'fp32' }) };
}

function checkMismatch(action: () => void, message: string): void {
  assert.throws(action, (error) => {
    assert.ok(error instanceof WeightMismatchError);
    assert.equal(error.message, message);
    return true;
  });
}

test('a place, its weights and its nodes share the name of the checkpoint', () => {
  const { builder, scope } = openScope();
  const fc = scope.at('layers').at(0).at('fc');
  const x = builder.input('x', 'float32', ['N', 2]);
  const y = fc.op.Gemm(x, fc.weight('weight', [4, 2]), fc.weight('bias', [4]));
  assert.equal(y.name, 'layers.0.fc.Gemm');
  const stored = builder.finish().weightGroups.flatMap(({ weights }) => weights);
  assert.deepEqual(
    stored.map(({ name }) => name),
    ['layers.0.fc.weight', 'layers.0.fc.bias'],
  );
});

test('a missing weight is named with the shape it should have', () => {
  const { scope } = openScope();
  checkMismatch(
    () => scope.at('layers').at(1).at('fc').weight('bias', [4]),
    'closed form: layers.1.fc.bias: expected [4], found no such key',
  );
});

test('a weight of another shape is named with both shapes', () => {
  const { scope } = openScope();
  const fc = scope.at('layers').at(0).at('fc');
  checkMismatch(
    () => fc.weight('weight', [2, 4]),
    'closed form: layers.0.fc.weight: expected [2, 4], found [4, 2]',
  );
  checkMismatch(
    () => fc.weight('bias', [4, 1]),
    'closed form: layers.0.fc.bias: expected [4, 1], found [4]',
  );
});

for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
  test(`a weight with ${value} is refused when it is written`, () => {
    const source = {
      ...closedFormWeights(shapes),
      read: () => Float32Array.of(0, 0, value, 0),
    };
    const { builder, scope } = openScope(source);
    scope.at('layers').at(0).at('fc').weight('bias', [4]);
    const { weights } = serialize(builder.finish(), 'weights.bin');
    checkMismatch(
      () => [...weights],
      `closed form: layers.0.fc.bias: expected finite numbers, found ${value} at element 2`,
    );
  });
}

test('a weight beyond the range of float16 is refused when it is written as such', () => {
  const source = { ...closedFormWeights(shapes), read: () => Float32Array.of(0, 65504, -7e4, 0) };
  const { builder, scope } = openScope(source);
  scope.at('layers').at(0).at('fc').weight('bias', [4], 'float16');
  const { weights } = serialize(builder.finish(), 'weights.bin');
  checkMismatch(
    () => [...weights],
    'closed form: layers.0.fc.bias: expected numbers up to ±65504 for fp16, ' +
      'found -70000 at element 2',
  );
});

test('keys that no one used are an error unless they are left aside', () => {
  const { scope, weights } = openScope();
  scope.at('layers').at(0).at('fc').weight('weight', [4, 2]);
  checkMismatch(
    () => weights.assertAllUsed([/bias$/]),
    'closed form: expected only keys of the model, found 1 others: layers.1.fc.weight',
  );
  weights.assertAllUsed([/bias$/, /^layers\.1\./]);
});

test('the check of unused keys shows a few of many', () => {
  const { weights } = openScope();
  assert.throws(() => weights.assertAllUsed([]), /found 3 others: layers\.0\.fc\.weight, /);
});

test('rows of a weight are part of it, and numbers that are not finite are told by their place', () => {
  const name = 'layers.0.fc.weight';
  const reader = openScope().scope.reader(name, [4, 2]);
  assert.deepEqual(reader.readRows(1, 2), reader.read().subarray(2, 6));
  const broken = { ...closedFormWeights(shapes), readRows: () => Float32Array.of(0, NaN) };
  checkMismatch(
    () => openScope(broken).scope.reader(name, [4, 2]).readRows(3, 1),
    `closed form: ${name}: expected finite numbers, found NaN at element 7`,
  );
});
