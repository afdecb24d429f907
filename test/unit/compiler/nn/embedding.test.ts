import assert from 'node:assert/strict';
import test from 'node:test';
import { embed } from '../../../../server/compiler/nn/embedding.ts';
import { multiply } from '../../../../server/compiler/nn/linear.ts';
import { GraphBuilder } from '../../../../server/compiler/onnx/builder.ts';
import { CheckpointWeights } from '../../../../server/compiler/onnx/checkpointWeights.ts';
import { type LinearPrecision, Scope } from '../../../../server/compiler/onnx/scope.ts';
import { elementCount } from '../../../../server/tensor/tensor.ts';
import { closedFormVector, closedFormWeights } from '../../../support/closedForm.ts';
import { assertClose, floats, integers, runLayer } from '../../../support/graphSession.ts';
import { linear, toRows } from '../../../support/plainLoops.ts';

/** Rows of a block and a half. */
const modelDim = 48;
const size = 10;
const weights = closedFormWeights({ weight: [size, modelDim] });
const table = toRows(weights.read('weight'), modelDim);
const ids = [3, 9, 0, 3];

const matrixOf = (scope: Scope) => ({
  rowCount: size,
  rowSize: modelDim,
  reader: scope.reader('weight', [size, modelDim]),
});

// Half a step of the largest of a row below 1; with four bits, a whole one at the far end.
const tolerances = { fp32: 0, fp16: 0.0005, int8: 0.004, int4: 0.13 };

for (const [precision, tolerance] of Object.entries(tolerances) as [LinearPrecision, number][]) {
  for (const isTied of [true, false]) {
    const kind = isTied ? 'tied' : 'untied';
    test(`tokens are looked up in a ${kind} table in ${precision}`, async () => {
      const build = (scope: Scope, indices: Parameters<typeof embed>[3]) =>
        embed(scope, matrixOf(scope), { isTied }, indices);
      const [rows] = await runLayer(weights, [integers([2, 2], ids)], build, precision);
      assert.deepEqual(rows?.shape, [2, 2, modelDim]);
      assertClose(
        rows?.data ?? [],
        ids.flatMap((id) => table[id] ?? []),
        tolerance,
      );
    });
  }

  test(`a tied table in ${precision} is held once, and both use it`, async () => {
    const builder = new GraphBuilder('tied');
    const scope = new Scope({ builder, weights: new CheckpointWeights(weights), precision });
    const indices = builder.input('ids', 'int64', ['N', 'S']);
    const rows = builder.input('x', 'float32', ['S', modelDim]);
    builder.output('embedded', embed(scope, matrixOf(scope), { isTied: true }, indices), []);
    builder.output('projected', multiply(scope, matrixOf(scope), null, rows), []);
    const held = builder.finish().weightGroups.flatMap((group) => group.weights);
    const tables = held.filter(({ shape }) => elementCount(shape) >= (size * modelDim) / 2);
    assert.equal(tables.length, 1, held.map(({ name }) => name).join(', '));
  });

  test(`rows are multiplied with a table in ${precision}`, async () => {
    const x = closedFormVector('x', 3 * modelDim);
    const [products] = await runLayer(
      weights,
      [floats([3, modelDim], x)],
      (place, value) => multiply(place, matrixOf(place), null, value),
      precision,
    );
    const expected = linear(toRows(x, modelDim), table, []).flat();
    assertClose(products?.data ?? [], expected, Math.max(modelDim * tolerance, 1e-5));
  });
}
