import assert from 'node:assert/strict';
import test from 'node:test';
import { AssertionError } from '../../../../server/base/errors.ts';
import { GraphBuilder } from '../../../../server/compiler/onnx/builder.ts';
import type { Graph, WeightGroup } from '../../../../server/compiler/onnx/graph.ts';
import { Ops } from '../../../../server/compiler/onnx/ops.ts';
import { serialize } from '../../../../server/compiler/onnx/serialize.ts';
import { floats, openGraph } from '../../../support/graphSession.ts';

function vector(name: string, values: readonly number[], load?: () => void): WeightGroup {
  return {
    weights: [{ name, type: 'float32', shape: [values.length] }],
    load: () => {
      load?.();
      return [new Uint8Array(Float32Array.from(values).buffer)];
    },
  };
}

/** y = (x + a) + b, with a and b in the external-data file. */
function threeNodeGraph(onLoad: (name: string) => void = () => {}): Graph {
  const builder = new GraphBuilder('three nodes');
  const op = new Ops(builder, '');
  const x = builder.input('x', 'float32', ['N', 3]);
  const [a] = builder.weights(vector('a', [1, 2, 3], () => onLoad('a')));
  const [b] = builder.weights(vector('b', [10, 20, 30], () => onLoad('b')));
  assert.ok(a && b);
  builder.output('y', op.Mul(op.Add(op.Add(x, a), b), 2), ['N', 3]);
  return builder.finish();
}

test('a graph with external weights runs in ONNX Runtime', async () => {
  const run = await openGraph(threeNodeGraph());
  const { y } = await run({ x: floats([2, 3], [0, 0, 0, 1, 1, 1]) });
  assert.deepEqual(y, floats([2, 3], [22, 44, 66, 24, 46, 68]));
});

test('weights begin at multiples of 64 bytes and fill the promised size', () => {
  const { weights, weightsSizeBytes } = serialize(threeNodeGraph(), 'weights.bin');
  const bytes = Buffer.concat([...weights]);
  assert.equal(bytes.length, weightsSizeBytes);
  assert.equal(bytes.readFloatLE(0), 1);
  assert.equal(bytes.readFloatLE(64), 10);
});

test('weights are loaded one group at a time, while they are written', () => {
  const loaded: string[] = [];
  const { weights } = serialize(
    threeNodeGraph((name) => loaded.push(name)),
    'weights.bin',
  );
  assert.deepEqual(loaded, []);
  const chunks = weights[Symbol.iterator]();
  chunks.next();
  assert.deepEqual(loaded, ['a']);
  while (!chunks.next().done);
  assert.deepEqual(loaded, ['a', 'b']);
});

test('a graph serializes to the same bytes every time', () => {
  const first = serialize(threeNodeGraph(), 'weights.bin');
  const second = serialize(threeNodeGraph(), 'weights.bin');
  assert.deepEqual(first.model, second.model);
  assert.deepEqual([...first.weights], [...second.weights]);
});

test('a weight of another length than its shape is a mistake of ours', () => {
  const builder = new GraphBuilder('wrong');
  builder.weights({
    weights: [{ name: 'a', type: 'float32', shape: [4] }],
    load: () => [new Uint8Array(12)],
  });
  const { weights } = serialize(builder.finish(), 'weights.bin');
  assert.throws(() => [...weights], AssertionError);
});
