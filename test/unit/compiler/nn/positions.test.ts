import assert from 'node:assert/strict';
import test from 'node:test';
import {
  causalMask,
  llama3Frequencies,
  paddingMask,
  rotaryFrequencies,
  rotaryPositions,
  sinusoidalPositions,
} from '../../../../server/compiler/nn/positions.ts';
import type { Ops } from '../../../../server/compiler/onnx/ops.ts';
import { sonarLlmGolden } from '../../../golden/sonarLlm/golden.ts';
import { sinusoidStep2 } from '../../../golden/tinyModels.ts';
import { closedFormVector, closedFormWeights } from '../../../support/closedForm.ts';
import { assertClose, floats, integers, runLayer } from '../../../support/graphSession.ts';
import { rotate, rotateHalves, toRows } from '../../../support/plainLoops.ts';
import { tinySonarLlm } from '../../../support/tinyModels.ts';

const noWeights = closedFormWeights({});
const hidden = Number.NEGATIVE_INFINITY;

test('the first sinusoidal position is step 2 of the reference', async () => {
  const [table] = await runLayer(noWeights, [], (scope) =>
    sinusoidalPositions(scope, { maxSeqLen: 4, modelDim: 32, startStep: 2 }),
  );
  assertClose(table?.data.slice(0, 32) ?? [], sinusoidStep2, 1e-6);
});

test('the table of the released models has the reference numbers at its far end', async () => {
  const [table] = await runLayer(noWeights, [], (scope) =>
    sinusoidalPositions(scope, { maxSeqLen: 514, modelDim: 1024, startStep: 2 }),
  );
  const step515 = table?.data.slice(513 * 1024) ?? [];
  // 5e-5: the reference rounds its angles, up to 515, to float32.
  assertClose(step515.slice(0, 2), [-0.219395846, -0.00430297339], 5e-5);
  assertClose(step515.slice(512, 514), [0.975635946, -0.999990761], 5e-5);
  assertClose(step515.slice(1023), [0.998674154], 5e-5);
});

async function checkRotary(
  interleaved: boolean,
  plain: (rows: number[][], numHeads: number, theta: number, start: number) => number[][],
) {
  const x = closedFormVector('x', 3 * 8);
  const inputs = [floats([1, 3, 2, 4], x), integers([1, 3], [5, 6, 7])];
  const [turned] = await runLayer(noWeights, inputs, (scope, value, positionIds) => {
    const config = { maxSeqLen: 16, frequencies: rotaryFrequencies(4, 10_000), interleaved };
    const heads = scope.op.Transpose(value, { perm: [0, 2, 1, 3] }); // [N, H, S, K]
    const result = rotaryPositions(scope, config, positionIds)(heads);
    return scope.op.Transpose(result, { perm: [0, 2, 1, 3] });
  });
  assertClose(turned?.data ?? [], plain(toRows(x, 8), 2, 10_000, 5).flat(), 1e-6);
}

test('rotary positions are the rotations in plain loops', async () => {
  await checkRotary(true, rotate);
  await checkRotary(false, (rows, numHeads, theta, start) =>
    rotateHalves(rows, numHeads, rotaryFrequencies(8 / numHeads, theta), start),
  );
});

test('stretched frequencies are those of transformers', () => {
  const { tiny, llama32 } = sonarLlmGolden.frequencies;
  const tinyScaling = tinySonarLlm.llama.ropeScaling ?? assert.fail();
  checkRelative(llama3Frequencies(rotaryFrequencies(8, 100), tinyScaling), tiny);
  const scaling = { ...tinyScaling, originalMaxPositionEmbeddings: 8192 };
  checkRelative(llama3Frequencies(rotaryFrequencies(64, 500_000), scaling), llama32);
});

/** 1e-6: the reference computes in float32. */
function checkRelative(found: readonly number[], expected: readonly number[]): void {
  assert.equal(found.length, expected.length);
  const ratios = found.map((value, i) => value / (expected[i] ?? Number.NaN));
  assertClose(ratios, new Array(ratios.length).fill(1), 1e-6);
}

async function checkCausal(start: number, end: number, expected: number[][]): Promise<void> {
  const place = (op: Ops) => ({
    sequenceShape: op.constant('int64', [1, end - start]),
    start: op.constant('int64', [start]),
    end: op.constant('int64', [end]),
  });
  const [mask] = await runLayer(noWeights, [], ({ op }) => causalMask(op, place(op)));
  assert.deepEqual(mask?.shape, [end - start, end]);
  assert.deepEqual(mask?.data, expected.flat());
}

test('a new position sees the past and itself', async () => {
  await checkCausal(0, 1, [[0]]);
  await checkCausal(2, 3, [[0, 0, 0]]);
  await checkCausal(0, 2, [
    [0, hidden],
    [0, 0],
  ]);
  await checkCausal(1, 3, [
    [0, 0, hidden],
    [0, 0, 0],
  ]);
});

test('padding is hidden', async () => {
  const [mask] = await runLayer(noWeights, [integers([2, 2], [1, 1, 1, 0])], ({ op }, value) =>
    paddingMask(op, value),
  );
  assert.deepEqual(mask, floats([2, 1, 1, 2], [0, 0, 0, hidden]));
});
