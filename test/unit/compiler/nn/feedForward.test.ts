import test from 'node:test';
import { feedForward, swigluFeedForward } from '../../../../server/compiler/nn/feedForward.ts';
import type { LinearPrecision } from '../../../../server/compiler/onnx/scope.ts';
import { closedFormVector, closedFormWeights } from '../../../support/closedForm.ts';
import { assertClose, floats, runLayer } from '../../../support/graphSession.ts';
import { linear, multiply, type Rows, relu, silu, toRows } from '../../../support/plainLoops.ts';

const weights = closedFormWeights({
  'gate_proj.weight': [12, 8],
  'gate_proj.bias': [12],
  'inner_proj.weight': [12, 8],
  'inner_proj.bias': [12],
  'output_proj.weight': [8, 12],
  'output_proj.bias': [8],
});
const x = closedFormVector('x', 3 * 8);

function plainLinear(name: string, inputDim: number, rows: Rows): number[][] {
  const weight = toRows(weights.read(`${name}.weight`), inputDim);
  return linear(rows, weight, Array.from(weights.read(`${name}.bias`)));
}

const inner = plainLinear('inner_proj', 8, toRows(x, 8));
const gate = plainLinear('gate_proj', 8, toRows(x, 8));

async function checkLayer(
  layer: typeof feedForward,
  expected: Rows,
  precision: LinearPrecision,
  tolerance: number,
): Promise<void> {
  const build = (...[scope, value]: [Parameters<typeof layer>[0], Parameters<typeof layer>[2]]) =>
    layer(scope, { modelDim: 8, innerDim: 12 }, value);
  const [y] = await runLayer(weights, [floats([3, 8], x)], build, precision);
  assertClose(y?.data ?? [], expected.flat(), tolerance);
}

const expectedRelu = plainLinear('output_proj', 12, relu(inner));
const expectedGated = plainLinear('output_proj', 12, multiply(silu(gate), inner));

test('the compiled network is the network in plain loops', async () => {
  await checkLayer(feedForward, expectedRelu, 'fp32', 1e-6);
});

test('the compiled gated network is the network in plain loops', async () => {
  await checkLayer(swigluFeedForward, expectedGated, 'fp32', 1e-6);
});

// Two layers of the errors that `linear.test.ts` explains.
for (const [precision, tolerance] of [
  ['fp16', 0.002],
  ['int8', 0.05],
  ['int4', 0.4],
] as const) {
  test(`the networks in ${precision} are close to the networks in numbers`, async () => {
    await checkLayer(feedForward, expectedRelu, precision, tolerance);
    await checkLayer(swigluFeedForward, expectedGated, precision, tolerance);
  });
}
