import assert from 'node:assert/strict';
import test from 'node:test';
import {
  fusedSelfAttention,
  headShape,
  selfAttention,
  singlePositionAttention,
} from '../../../../server/compiler/nn/attention.ts';
import {
  causalMask,
  rotaryFrequencies,
  rotaryPositions,
} from '../../../../server/compiler/nn/positions.ts';
import type { Value } from '../../../../server/compiler/onnx/graph.ts';
import type { Scope } from '../../../../server/compiler/onnx/scope.ts';
import { closedFormVector, closedFormWeights } from '../../../support/closedForm.ts';
import { assertClose, floats, integers, runLayer } from '../../../support/graphSession.ts';
import { attention, linear, type Rows, rotate, toRows } from '../../../support/plainLoops.ts';

const config = { modelDim: 8, numAttnHeads: 2 };
const names = ['q_proj', 'k_proj', 'v_proj', 'output_proj'];
const weights = closedFormWeights(
  Object.fromEntries(
    names.flatMap((name) => [
      [`${name}.weight`, [8, 8]],
      [`${name}.bias`, [8]],
    ]),
  ),
);
const x = closedFormVector('x', 5 * 8);

function project(name: string, rows: Rows): number[][] {
  const weight = toRows(weights.read(`${name}.weight`), 8);
  return linear(rows, weight, Array.from(weights.read(`${name}.bias`)));
}

function plainAttention(rows: Rows, turn: (rows: Rows) => Rows = (same) => same): number[] {
  const q = turn(project('q_proj', rows));
  const k = turn(project('k_proj', rows));
  const heads = attention(q, k, project('v_proj', rows), 2, (query, key) => key <= query);
  return project('output_proj', heads).flat();
}

/** The causal layer over one sequence without a past. */
function causal(scope: Scope, rows: Value, rotate?: (x: Value) => Value): Value {
  const { op } = scope;
  const length = op.Shape(rows, { start: 0, end: 1 });
  const sequenceShape = op.Concat([op.constant('int64', [1]), length], { axis: 0 });
  const place = { sequenceShape, start: op.constant('int64', [0]), end: length };
  const inputs = { headShape: headShape(op, config, sequenceShape), mask: causalMask(op, place) };
  return selfAttention(scope, config, rows, rotate ? { ...inputs, rotate } : inputs).output;
}

test('the compiled layer is the layer in plain loops', async () => {
  const [y] = await runLayer(weights, [floats([5, 8], x)], (scope, rows) => causal(scope, rows));
  assertClose(y?.data ?? [], plainAttention(toRows(x, 8)), 1e-6);
});

test('the layer in bytes is close to the layer in numbers', async () => {
  const build = (scope: Scope, rows: Value) => causal(scope, rows);
  const [y] = await runLayer(weights, [floats([5, 8], x)], build, 'int8');
  assertClose(y?.data ?? [], plainAttention(toRows(x, 8)), 0.05);
});

test('rotary positions turn queries and keys', async () => {
  const inputs = [floats([5, 8], x), integers([1, 5], [0, 1, 2, 3, 4])];
  const [y] = await runLayer(weights, inputs, (scope, rows, positionIds) => {
    const config = { maxSeqLen: 8, frequencies: rotaryFrequencies(4, 100), interleaved: true };
    return causal(scope, rows, rotaryPositions(scope, config, positionIds));
  });
  const expected = plainAttention(toRows(x, 8), (rows) => rotate(rows, 2, 100));
  assertClose(y?.data ?? [], expected, 1e-6);
});

test('attention over one position is attention with one key', async () => {
  const [y] = await runLayer(weights, [floats([1, 8], x.slice(0, 8))], (scope, rows) =>
    singlePositionAttention(scope, { ...config, inputDim: 8 }, rows),
  );
  assertClose(y?.data ?? [], plainAttention(toRows(x.slice(0, 8), 8)), 1e-6);
});

/** `fusedSelfAttention` over one sequence, with what came before. */
function fused(scope: Scope, rows: Value, past?: { keys: Value; values: Value }): Value[] {
  const { op } = scope;
  const size = (x: Value, axis: number) => op.Shape(x, { start: axis, end: axis + 1 });
  const length = size(rows, 0);
  const one = op.constant('int64', [1]);
  const start = past ? size(past.keys, 1) : op.constant('int64', [0]);
  const sequenceShape = op.Concat([one, length], { axis: 0 });
  const place = { sequenceShape, start, end: op.Add(start, length) };
  const { output, keys, values } = fusedSelfAttention(scope, config, rows, {
    shape: op.Concat([sequenceShape, op.constant('int64', [3 * config.modelDim])], { axis: 0 }),
    mask: op.Unsqueeze(causalMask(op, place), [0, 1]),
    earlier: past ?? null,
  });
  return [output, keys, values];
}

for (const [precision, tolerance] of [
  ['fp32', 1e-6],
  ['fp16', 0.005],
  ['int8', 0.05],
  ['int4', 0.05],
] as const) {
  test(`the fused layer in ${precision} is the layer in plain loops`, async () => {
    const build = (scope: Scope, rows: Value) => fused(scope, rows);
    const [y, keys, values] = await runLayer(weights, [floats([5, 8], x)], build, precision);
    assertClose(y?.data ?? [], plainAttention(toRows(x, 8)), tolerance);
    assertClose(keys?.data ?? [], project('k_proj', toRows(x, 8)).flat(), tolerance);
    assertClose(values?.data ?? [], project('v_proj', toRows(x, 8)).flat(), tolerance);
  });
}

test('the fused layer goes on where it was', async () => {
  const build = (scope: Scope, rows: Value) => fused(scope, rows);
  const [, keys, values] = await runLayer(weights, [floats([3, 8], x.slice(0, 24))], build);
  assert.ok(keys && values);
  const inputs = [floats([2, 8], x.slice(24)), keys, values];
  const [y] = await runLayer(weights, inputs, (scope, rows, k, v) =>
    fused(scope, rows, { keys: k as Value, values: v as Value }),
  );
  assertClose(y?.data ?? [], plainAttention(toRows(x, 8)).slice(24), 1e-6);
});
