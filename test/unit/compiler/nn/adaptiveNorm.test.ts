import test from 'node:test';
import { adaLnModulator, modulate } from '../../../../server/compiler/nn/adaptiveNorm.ts';
import { closedFormVector, closedFormWeights } from '../../../support/closedForm.ts';
import { assertClose, floats, runLayer } from '../../../support/graphSession.ts';
import { linear, silu, toRows } from '../../../support/plainLoops.ts';

const modelDim = 4;
const weights = closedFormWeights({
  'fc.weight': [9 * modelDim, modelDim],
  'fc.bias': [9 * modelDim],
});
const timestep = closedFormVector('timestep', 2 * modelDim);

test('the modulator gives shift, scale and gate to attention, cross-attention and FFN in turn', async () => {
  const results = await runLayer(weights, [floats([2, modelDim], timestep)], (scope, value) => {
    const { selfAttn, crossAttention, ffn } = adaLnModulator(scope, modelDim, value);
    return [selfAttn, crossAttention, ffn].flatMap(({ shift, scale, gate }) => [
      shift,
      scale,
      gate,
    ]);
  });
  const all = linear(
    silu(toRows(timestep, modelDim)),
    toRows(weights.read('fc.weight'), modelDim),
    Array.from(weights.read('fc.bias')),
  );
  for (const [index, { data }] of results.entries()) {
    const part = all.map((row) => row.slice(index * modelDim, (index + 1) * modelDim));
    assertClose(data, part.flat(), 1e-6);
  }
});

test('scale is added to one', async () => {
  const x = floats([1, 2], [3, 5]);
  const [y] = await runLayer(weights, [x], ({ op }, value) => {
    const constant = (values: readonly number[]) => op.constant('float32', values);
    const modulation = { shift: constant([1, 2]), scale: constant([0, 1]), gate: constant([9, 9]) };
    return modulate(op, modulation, value);
  });
  assertClose(y?.data ?? [], [4, 12], 1e-6);
});
