import assert from 'node:assert/strict';
import test from 'node:test';
import { GraphBuilder } from '../../../../server/compiler/onnx/builder.ts';
import { Ops } from '../../../../server/compiler/onnx/ops.ts';

test('nodes are named after their place and counted where they repeat', () => {
  const builder = new GraphBuilder('names');
  const x = builder.input('x', 'float32', ['N']);
  const layer = new Ops(builder, 'layers.0');
  layer.Add(layer.Add(x, 1), 2);
  new Ops(builder, 'layers.1').Add(x, 1);
  const names = builder.finish().nodes.map(({ name }) => name);
  assert.deepEqual(names, ['layers.0.Add', 'layers.0.Add_1', 'layers.1.Add']);
});

test('equal constants are one, and types keep them apart', () => {
  const builder = new GraphBuilder('constants');
  const op = new Ops(builder, '');
  assert.equal(op.constant('float32', 2), op.constant('float32', 2));
  assert.notEqual(op.constant('float32', 2), op.constant('int64', 2));
  assert.notEqual(op.constant('float32', 2), op.constant('float32', [2]));
  assert.equal(builder.finish().constants.length, 3);
});

test('a number takes the type of the other operand', () => {
  const builder = new GraphBuilder('types');
  const op = new Ops(builder, '');
  assert.equal(op.Add(builder.input('n', 'int64', []), 1).type, 'int64');
  assert.equal(op.Add(1, builder.input('x', 'float32', [])).type, 'float32');
});

test('an output renames the value wherever it is read', () => {
  const builder = new GraphBuilder('outputs');
  const op = new Ops(builder, '');
  const sum = op.Add(builder.input('x', 'float32', ['N']), 1);
  builder.output('sum', sum, ['N']);
  builder.output('double', op.Mul(sum, 2), ['N']);
  const { nodes, outputs } = builder.finish();
  assert.deepEqual(
    nodes.map((node) => node.outputs),
    [['sum'], ['double']],
  );
  assert.equal(nodes[1]?.inputs[0], 'sum');
  assert.deepEqual(
    outputs.map(({ name }) => name),
    ['sum', 'double'],
  );
});

test('a weight that is asked for twice is stored once', () => {
  const builder = new GraphBuilder('weights');
  const group = {
    weights: [{ name: 'embed.weight', type: 'float32' as const, shape: [1] }],
    load: () => [new Uint8Array(4)],
  };
  assert.deepEqual(builder.weights(group), builder.weights({ ...group }));
  assert.equal(builder.finish().weightGroups.length, 1);
});
