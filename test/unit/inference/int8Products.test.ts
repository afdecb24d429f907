import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GraphBuilder } from '../../../server/compiler/onnx/builder.ts';
import { Ops } from '../../../server/compiler/onnx/ops.ts';
import { serialize } from '../../../server/compiler/onnx/serialize.ts';
import { int8ProductGraph, isExact } from '../../../server/inference/int8Products.ts';
import { int8ProductsSaturate } from '../../../server/inference/session.ts';

/** The graph as the compiler makes it, which the inference cannot ask. */
function compiledGraph(): Uint8Array {
  const builder = new GraphBuilder('int8Product');
  const op = new Ops(builder, '');
  const a = builder.input('a', 'uint8', ['S', 'D']);
  const b = builder.input('b', 'int8', ['D', 'F']);
  const scales = builder.input('scales', 'float32', ['F']);
  builder.output('product', op.MatMulIntegerToFloat(a, b, 1, scales, 0), ['S', 'F']);
  return serialize(builder.finish(), 'none').model;
}

test('the committed graph is what the compiler makes', () => {
  assert.equal(
    Buffer.from(int8ProductGraph()).toString('base64'),
    Buffer.from(compiledGraph()).toString('base64'),
  );
});

test('sums of products that were cut at 16 bits are told from exact ones', () => {
  const exact = 16 * 255 * 127;
  assert.equal(isExact(Float32Array.of(exact, exact)), true);
  assert.equal(isExact(Float32Array.of(exact, 8 * 32_767)), false);
});

test('what this processor does is found out without an error', async () => {
  assert.equal(typeof (await int8ProductsSaturate()), 'boolean');
});
