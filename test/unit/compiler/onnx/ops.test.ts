import assert from 'node:assert/strict';
import test from 'node:test';
import type { Value } from '../../../../server/compiler/onnx/graph.ts';
import type { Ops } from '../../../../server/compiler/onnx/ops.ts';
import { closedFormWeights } from '../../../support/closedForm.ts';
import {
  assertClose,
  floats,
  integers,
  runLayer,
  type TestTensor,
} from '../../../support/graphSession.ts';

const noWeights = closedFormWeights({});
const infinity = Number.POSITIVE_INFINITY;

async function checkOp(
  inputs: readonly TestTensor[],
  build: (op: Ops, ...values: Value[]) => Value | readonly Value[],
  ...expected: readonly TestTensor[]
): Promise<void> {
  const found = await runLayer(noWeights, inputs, ({ op }, ...values) => build(op, ...values));
  assert.equal(found.length, expected.length);
  for (const [index, { type, shape, data }] of expected.entries()) {
    assert.equal(found[index]?.type, type);
    assert.deepEqual(found[index]?.shape, shape);
    if (data.every(Number.isFinite)) assertClose(found[index]?.data ?? [], data, 1e-6);
    else assert.deepEqual(found[index]?.data, data);
  }
}

function bytes(shape: readonly number[], data: readonly number[]): TestTensor {
  return { type: 'uint8', shape, data };
}

function booleans(shape: readonly number[], data: readonly number[]): TestTensor {
  return { type: 'bool', shape, data };
}

const x = floats([2, 2], [1, -2, 3, 4]);
const vector = floats([3], [-1, 0, 2]);
const ids = integers([3], [2, 0, 1]);

test('arithmetic broadcasts and takes numbers', async () => {
  await checkOp([x], (op, a) => op.Add(a, 1), floats([2, 2], [2, -1, 4, 5]));
  await checkOp([x], (op, a) => op.Sub(1, a), floats([2, 2], [0, 3, -2, -3]));
  await checkOp([x], (op, a) => op.Mul(a, a), floats([2, 2], [1, 4, 9, 16]));
  await checkOp([x], (op, a) => op.Div(a, 2), floats([2, 2], [0.5, -1, 1.5, 2]));
  await checkOp([x], (op, a) => op.Max(a, 2), floats([2, 2], [2, 2, 3, 4]));
  await checkOp([ids], (op, a) => op.Add(a, 1), integers([3], [3, 1, 2]));
});

test('comparison and choice', async () => {
  await checkOp([ids], (op, a) => op.LessOrEqual(a, 1), booleans([3], [0, 1, 1]));
  await checkOp(
    [booleans([2], [1, 0]), x],
    (op, condition, a) => op.Where(condition, a, -infinity),
    floats([2, 2], [1, -infinity, 3, -infinity]),
  );
});

test('functions of one number', async () => {
  const each = (f: (value: number) => number) => floats([3], vector.data.map(f));
  await checkOp([vector], (op, a) => op.Abs(a), each(Math.abs));
  await checkOp([vector], (op, a) => op.Cos(a), each(Math.cos));
  await checkOp([vector], (op, a) => op.Sin(a), each(Math.sin));
  await checkOp([vector], (op, a) => op.Relu(a), floats([3], [0, 0, 2]));
  await checkOp(
    [vector],
    (op, a) => op.Sigmoid(a),
    each((v) => 1 / (1 + Math.exp(-v))),
  );
  await checkOp([vector], (op, a) => op.Cast(a, 'int64'), integers([3], [-1, 0, 2]));
});

test('products of matrices', async () => {
  const b = floats([2, 3], [1, 0, 2, 0, 1, 1]);
  const transposed = floats([3, 2], [1, 0, 0, 1, 2, 1]);
  const product = [1, -2, 0, 3, 4, 10];
  await checkOp([x, b], (op, a, w) => op.MatMul(a, w), floats([2, 3], product));
  await checkOp([x, transposed], (op, a, w) => op.Gemm(a, w, null), floats([2, 3], product));
  await checkOp(
    [x, transposed, vector],
    (op, a, w, c) => op.Gemm(a, w, c),
    floats([2, 3], [0, -2, 2, 2, 4, 12]),
  );
});

test('softmax works on the last dimension', async () => {
  const rows = floats([2, 2], [0, 0, Math.log(3), 0]);
  await checkOp([rows], (op, a) => op.Softmax(a), floats([2, 2], [0.5, 0.5, 0.75, 0.25]));
});

test('logarithms are natural', async () => {
  await checkOp([floats([2], [1, Math.E])], (op, a) => op.Log(a), floats([2], [0, 1]));
});

test('normalisations work on the last dimension', async () => {
  const scale = floats([2], [1, 10]);
  const bias = floats([2], [0, 1]);
  const epsilon = 0;
  await checkOp(
    [x, scale, bias],
    (op, a, w, b) => op.LayerNormalization(a, w, b, { epsilon }),
    floats([2, 2], [1, -9, -1, 11]),
  );
  await checkOp(
    [x, scale],
    (op, a, w) => op.LayerNormalization(a, w, null, { epsilon }),
    floats([2, 2], [1, -10, -1, 10]),
  );
  await checkOp(
    [floats([1, 2], [7, 1]), scale],
    (op, a, w) => op.RMSNormalization(a, w, { epsilon }),
    floats([1, 2], [1.4, 2]),
  );
});

test('rotary embedding turns neighbouring pairs, or one of each half', async () => {
  for (const [interleaved, expected] of [
    [true, [-2, 1, 3, 4]],
    [false, [-3, 2, 1, 4]],
  ] as const) {
    await checkOp(
      [
        floats([1, 1, 1, 4], [1, 2, 3, 4]),
        floats([2, 2], [1, 1, 0, 1]),
        floats([2, 2], [0, 0, 1, 0]),
        integers([1, 1], [1]),
      ],
      (op, a, cos, sin, places) => op.RotaryEmbedding(a, cos, sin, places, { interleaved }),
      floats([1, 1, 1, 4], expected),
    );
  }
});

test('reductions keep or drop their dimensions', async () => {
  const axes = [1];
  await checkOp([x], (op, a) => op.ReduceMax(a, { axes, keepdims: true }), floats([2, 1], [1, 4]));
  await checkOp([x], (op, a) => op.ReduceSum(a, { axes, keepdims: false }), floats([2], [-1, 7]));
});

test('top k are sorted, with their places', async () => {
  await checkOp(
    [floats([1, 4], [1, 7, 3, 5]), integers([1], [3])],
    (op, a, k) => op.TopK(a, k),
    floats([1, 3], [7, 5, 3]),
    integers([1, 3], [1, 3, 2]),
  );
});

test('picking entries', async () => {
  await checkOp([vector, ids], (op, a, i) => op.Gather(a, i, { axis: 0 }), floats([3], [2, -1, 0]));
  await checkOp([x], (op, a) => op.Gather(a, -1, { axis: 0 }), floats([2], [3, 4]));
  const places = integers([2, 2], [0, 1, 1, 0]);
  await checkOp([x, places], (op, a, i) => op.GatherND(a, i), floats([2], [-2, 3]));
  const columns = integers([2, 1], [1, 0]);
  const batch = { batchDims: 1 };
  await checkOp([x, columns], (op, a, i) => op.GatherND(a, i, batch), floats([2], [-2, 3]));
  await checkOp(
    [vector, integers([1], [1]), integers([1], [3])],
    (op, a, start, end) => op.Slice(a, start, end, { axis: 0 }),
    floats([2], [0, 2]),
  );
});

test('joining and cutting', async () => {
  await checkOp(
    [x],
    (op, a) => op.Concat([a, a], { axis: 1 }),
    floats([2, 4], [1, -2, 1, -2, 3, 4, 3, 4]),
  );
  await checkOp(
    [x],
    (op, a) => op.Split(a, 2, { axis: 1 }),
    floats([2, 1], [1, 3]),
    floats([2, 1], [-2, 4]),
  );
});

test('changing shapes', async () => {
  await checkOp([x], (op, a) => op.Reshape(a, [-1]), floats([4], [1, -2, 3, 4]));
  await checkOp([x], (op, a) => op.Transpose(a, { perm: [1, 0] }), floats([2, 2], [1, 3, -2, 4]));
  await checkOp([vector], (op, a) => op.Unsqueeze(a, [0, 2]), floats([1, 3, 1], [-1, 0, 2]));
  await checkOp(
    [vector, integers([2], [2, 3])],
    (op, a, shape) => op.Expand(a, shape),
    floats([2, 3], [-1, 0, 2, -1, 0, 2]),
  );
  await checkOp([x], (op, a) => op.Shape(a, { start: 1, end: 2 }), integers([1], [2]));
});

test('counting', async () => {
  await checkOp(
    [integers([], [2]), integers([], [5])],
    (op, start, limit) => op.Range(start, limit),
    integers([3], [2, 3, 4]),
  );
});

test('quantized rows have a scale each, and round half to even', async () => {
  const rows = floats([2, 3], [0.5, 1.5, -1, 10, 20, 5000]);
  const scales = floats([2], [1, 10]);
  await checkOp(
    [rows, scales],
    (op, a, s) => op.QuantizeLinear(a, s, null),
    bytes([2, 3], [0, 2, 0, 1, 2, 255]),
  );
  await checkOp(
    [rows, scales, bytes([2], [128, 128])],
    (op, a, s, zero) => op.QuantizeLinear(a, s, zero),
    bytes([2, 3], [128, 130, 127, 129, 130, 255]),
  );
});

test('products of quantized matrices subtract the zero point and scale columns', async () => {
  await checkOp(
    [bytes([1, 2], [130, 127]), floats([2, 3], [1, 0, 2, 0, 1, 1]), floats([3], [1, 10, 100])],
    (op, a, w, scales) => op.MatMulIntegerToFloat(a, op.Cast(w, 'int8'), 1, scales, 128),
    floats([1, 3], [2, -10, 300]),
  );
});
