import assert from 'node:assert/strict';
import test from 'node:test';
import {
  linear,
  stackedLinear,
  toRows as toLinearRows,
} from '../../../../server/compiler/nn/linear.ts';
import { GraphBuilder } from '../../../../server/compiler/onnx/builder.ts';
import { CheckpointWeights } from '../../../../server/compiler/onnx/checkpointWeights.ts';
import { type LinearPrecision, Scope } from '../../../../server/compiler/onnx/scope.ts';
import { closedFormVector, closedFormWeights } from '../../../support/closedForm.ts';
import { assertClose, floats, runLayer } from '../../../support/graphSession.ts';
import { linear as plainLinear, toRows } from '../../../support/plainLoops.ts';

const weights = closedFormWeights({ weight: [12, 8], bias: [12] });
const x = closedFormVector('x', 3 * 8);
const expected = plainLinear(
  toRows(x, 8),
  toRows(weights.read('weight'), 8),
  Array.from(weights.read('bias')),
).flat();

async function runLinear(precision: LinearPrecision, hasBias = true): Promise<readonly number[]> {
  const config = { inputDim: 8, outputDim: 12, hasBias };
  const build = (scope: Scope, value: Parameters<typeof linear>[2]) => linear(scope, config, value);
  const [y] = await runLayer(weights, [floats([3, 8], x)], build, precision);
  return y?.data ?? [];
}

test('the compiled layer is the layer in plain loops', async () => {
  assertClose(await runLinear('fp32'), expected, 1e-6);
});

// Half a step of the largest of 8 numbers in [−0.6, 0.6), times the 8 activations below 1.
for (const [precision, tolerance] of [
  ['fp16', 0.002],
  ['int8', 0.05],
  ['int4', 0.25],
] as const) {
  test(`the layer in ${precision} is close to the layer in numbers`, async () => {
    assertClose(await runLinear(precision), expected, tolerance);
  });
}

test('the bias is optional', async () => {
  const bias = weights.read('bias');
  const without = expected.map((value, index) => value - (bias[index % 12] ?? 0));
  assertClose(await runLinear('fp32', false), without, 1e-6);
  assertClose(await runLinear('fp16', false), without, 0.002);
  assertClose(await runLinear('int8', false), without, 0.05);
  assertClose(await runLinear('int4', false), without, 0.25);
});

test('layers that share their input quantize it once', () => {
  const builder = new GraphBuilder('shared');
  const shared = closedFormWeights({ 'a.weight': [12, 8], 'b.weight': [12, 8] });
  const scope = new Scope({ builder, weights: new CheckpointWeights(shared), precision: 'int8' });
  const rows = toLinearRows(scope, builder.input('x', 'float32', ['N', 8]));
  const config = { inputDim: 8, outputDim: 12, hasBias: false };
  linear(scope.at('a'), config, rows);
  linear(scope.at('b'), config, rows);
  const operators = builder.finish().nodes.map(({ opType }) => opType);
  assert.equal(operators.filter((name) => name === 'QuantizeLinear').length, 1);
  assert.equal(operators.filter((name) => name === 'MatMulIntegerToFloat').length, 2);
});

const stackedNames = ['a', 'b', 'c'];
const stackedWeights = closedFormWeights(
  Object.fromEntries(
    stackedNames.flatMap((name) => [
      [`${name}.weight`, [12, 8]],
      [`${name}.bias`, [12]],
    ]),
  ),
);

// One scale per row, or per block of a row: stacked rows are quantized as they are alone.
for (const precision of ['fp32', 'fp16', 'int8', 'int4'] as const) {
  for (const blockBits of precision === 'int4' ? ([4, 8] as const) : ([4] as const)) {
    test(`stacked layers are the layers side by side, in ${precision} with ${blockBits} bits`, async () => {
      const config = { inputDim: 8, outputDim: 12, blockBits };
      const [stacked, side] = await runLayer(
        stackedWeights,
        [floats([3, 8], x)],
        (scope, value) => [
          stackedLinear(scope, stackedNames, config, value),
          scope.op.Concat(
            stackedNames.map((name) => linear(scope.at(name), config, value)),
            { axis: 1 },
          ),
        ],
        precision,
      );
      assert.deepEqual(stacked?.shape, [3, 36]);
      assertClose(stacked?.data ?? [], side?.data ?? [], 1e-6);
    });
  }
}

test('eight bits in blocks are closer to the numbers than four', async () => {
  const config = { inputDim: 8, outputDim: 12, blockBits: 8 } as const;
  const build = (scope: Scope, value: Parameters<typeof linear>[2]) => linear(scope, config, value);
  const [y] = await runLayer(weights, [floats([3, 8], x)], build, 'int4');
  assertClose(y?.data ?? [], expected, 0.05);
});
