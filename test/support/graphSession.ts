import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { GraphBuilder } from '../../server/compiler/onnx/builder.ts';
import { CheckpointWeights } from '../../server/compiler/onnx/checkpointWeights.ts';
import type { Graph, Value } from '../../server/compiler/onnx/graph.ts';
import { type LinearPrecision, Scope } from '../../server/compiler/onnx/scope.ts';
import { serialize } from '../../server/compiler/onnx/serialize.ts';
import type { WeightSource } from '../../server/compiler/onnx/weights.ts';
import type { DataType } from '../../server/tensor/tensor.ts';

/** A tensor of a graph under test. */
export interface TestTensor {
  type: DataType;
  shape: readonly number[];
  /** int64 as numbers, for they are small in tests. */
  data: readonly number[];
}

/** Runs a graph once. */
export type Run = (inputs: Record<string, TestTensor>) => Promise<Record<string, TestTensor>>;

/** Holds the graphs of this process until its end: their weights may stay mapped until then. */
const root = mkdtempSync(join(tmpdir(), 'thoughtline-'));
process.once('exit', () => rmSync(root, { recursive: true, force: true }));

/** More dimensions than any tensor of ours has. */
const maxRank = 8;

/** Returns a float32 tensor. */
export function floats(shape: readonly number[], data: ArrayLike<number>): TestTensor {
  return { type: 'float32', shape, data: Array.from(data) };
}

/** Returns an int64 tensor. */
export function integers(shape: readonly number[], data: ArrayLike<number>): TestTensor {
  return { type: 'int64', shape, data: Array.from(data) };
}

/** Serializes a graph and opens it in ONNX Runtime. */
export async function openGraph(graph: Graph): Promise<Run> {
  const folder = mkdtempSync(join(root, 'graph-'));
  const { model, weights } = serialize(graph, 'weights.bin');
  writeFileSync(join(folder, 'model.onnx'), model);
  writeFileSync(join(folder, 'weights.bin'), Buffer.concat([...weights]));
  const session = await InferenceSession.create(join(folder, 'model.onnx'), {
    intraOpNumThreads: 1,
    logSeverityLevel: 3,
  });
  return async (inputs) => {
    const feeds = Object.entries(inputs).map(([name, input]) => [name, toOrt(input)]);
    const results = await session.run(Object.fromEntries(feeds));
    return Object.fromEntries(
      Object.entries(results).map(([name, { type, dims, data }]) => [
        name,
        { type: type as DataType, shape: dims, data: Array.from(data, Number) },
      ]),
    );
  };
}

/**
 * Runs what `build` makes of inputs.
 *
 * @returns its results in order
 */
export async function runLayer(
  source: WeightSource,
  inputs: readonly TestTensor[],
  build: (scope: Scope, ...values: Value[]) => Value | readonly Value[],
  precision: LinearPrecision = 'fp32',
): Promise<TestTensor[]> {
  const builder = new GraphBuilder('layer');
  const scope = new Scope({ builder, weights: new CheckpointWeights(source), precision });
  const values = inputs.map(({ type, shape }, index) =>
    builder.input(
      `input${index}`,
      type,
      shape.map((_, axis) => `d${index}${axis}`),
    ),
  );
  const results = [build(scope, ...values)].flat();
  for (const [index, result] of results.entries()) {
    builder.output(`data${index}`, scope.op.Reshape(result, [-1]), ['elements']);
    builder.output(`shape${index}`, scope.op.Shape(result, { start: 0, end: maxRank }), ['rank']);
  }
  const run = await openGraph(builder.finish());
  const outputs = await run(
    Object.fromEntries(inputs.map((input, index) => [`input${index}`, input])),
  );
  return results.map(({ type }, index) => {
    const { data } = outputs[`data${index}`] ?? assert.fail();
    return { type, shape: outputs[`shape${index}`]?.data ?? [], data };
  });
}

/** Checks that numbers agree within an absolute tolerance. */
export function assertClose(
  found: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
): void {
  assert.equal(found.length, expected.length);
  const largest = Array.from(expected, (value, index) => Math.abs(value - (found[index] ?? NaN)));
  const difference = largest.reduce(
    (max, value) => (value > max || Number.isNaN(value) ? value : max),
    0,
  );
  assert.ok(difference <= tolerance, `differs by ${difference}, expected at most ${tolerance}`);
}

/** Returns row `index` of a tensor whose first dimension counts rows. */
export function rowOf({ shape, data }: TestTensor, index: number): readonly number[] {
  const size = data.length / (shape[0] ?? 1);
  return data.slice(index * size, (index + 1) * size);
}

function toOrt({ type, shape, data }: TestTensor): Tensor {
  if (type === 'int64') return new Tensor(type, BigInt64Array.from(data, BigInt), shape);
  if (type === 'uint8') return new Tensor(type, Uint8Array.from(data), shape);
  if (type === 'bool') return new Tensor(type, Uint8Array.from(data), shape);
  assert.equal(type, 'float32');
  return new Tensor('float32', Float32Array.from(data), shape);
}
