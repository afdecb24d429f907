import test from 'node:test';
import { normalization } from '../../../../server/compiler/nn/normalization.ts';
import { closedFormVector, closedFormWeights } from '../../../support/closedForm.ts';
import { assertClose, floats, runLayer } from '../../../support/graphSession.ts';
import { layerNorm, rmsNorm, toRows } from '../../../support/plainLoops.ts';

const weights = closedFormWeights({ weight: [8], bias: [8] });
const x = closedFormVector('x', 3 * 8);
const rows = toRows(x, 8);
const weight = Array.from(weights.read('weight'));
const bias = Array.from(weights.read('bias'));
const ones = new Array<number>(8).fill(1);
const zeros = new Array<number>(8).fill(0);

async function checkStyle(
  style: 'standard' | 'fp32' | 'rms' | 'unit',
  expected: number[][],
): Promise<void> {
  const [y] = await runLayer(weights, [floats([3, 8], x)], (scope, value) =>
    normalization(scope, { modelDim: 8, style }, value),
  );
  assertClose(y?.data ?? [], expected.flat(), 1e-5);
}

test('the standard style has weight and bias', async () => {
  await checkStyle('standard', layerNorm(rows, weight, bias));
});

test('the fp32 style has no bias', async () => {
  await checkStyle('fp32', layerNorm(rows, weight, zeros));
});

test('the unit style has neither', async () => {
  await checkStyle('unit', layerNorm(rows, ones, zeros));
});

test('the rms style keeps the mean', async () => {
  await checkStyle('rms', rmsNorm(rows, weight));
});
