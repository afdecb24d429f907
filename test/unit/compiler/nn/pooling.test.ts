import test from 'node:test';
import { pool } from '../../../../server/compiler/nn/pooling.ts';
import { closedFormWeights } from '../../../support/closedForm.ts';
import { assertClose, floats, integers, runLayer } from '../../../support/graphSession.ts';

/** The cases of SONAR's own test of its poolings. */
const padded = floats([2, 3, 2], [7, 2, 3, 4, 10, 20, -1, -2, 100, 1000, -10, -20]);
const paddedMask = integers([2, 3], [1, 1, 0, 1, 0, 0]);
const whole = floats([2, 3, 2], [7, 2, 3, 2, 2, 20, -1, -3, -4, 2, -7, -2]);
const wholeMask = integers([2, 3], [1, 1, 1, 1, 1, 1]);

async function checkPool(
  pooling: 'mean' | 'max' | 'last',
  [x, mask]: [typeof padded, typeof paddedMask],
  expected: readonly number[],
): Promise<void> {
  const [y] = await runLayer(closedFormWeights({}), [x, mask], ({ op }, value, attentionMask) =>
    pool(op, pooling, value, attentionMask),
  );
  assertClose(y?.data ?? [], expected, 1e-5);
}

test('the poolings skip padding', async () => {
  await checkPool('max', [padded, paddedMask], [7, 4, -1, -2]);
  await checkPool('mean', [padded, paddedMask], [5, 3, -1, -2]);
  await checkPool('last', [padded, paddedMask], [3, 4, -1, -2]);
});

test('the poolings of whole sequences', async () => {
  await checkPool('max', [whole, wholeMask], [7, 20, -1, 2]);
  await checkPool('mean', [whole, wholeMask], [4, 8, -4, -1]);
  await checkPool('last', [whole, wholeMask], [2, 20, -7, -2]);
});
