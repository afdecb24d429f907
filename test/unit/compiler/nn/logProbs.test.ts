import assert from 'node:assert/strict';
import test from 'node:test';
import { logNormalizer } from '../../../../server/compiler/nn/logProbs.ts';
import { closedFormVector, closedFormWeights } from '../../../support/closedForm.ts';
import { assertClose, floats, runLayer } from '../../../support/graphSession.ts';

async function normalizerOf(rows: readonly (readonly number[])[]): Promise<readonly number[]> {
  const x = floats([rows.length, rows[0]?.length ?? 0], rows.flat());
  const [n] = await runLayer(closedFormWeights({}), [x], ({ op }, value) =>
    logNormalizer(op, value),
  );
  assert.deepEqual(n?.shape, [rows.length, 1]);
  return n?.data ?? [];
}

test('logits and the normalizer are log-probabilities', async () => {
  const rows = ['a', 'b'].map((name) => [...closedFormVector(name, 1000, 5)]);
  const expected = rows.map((row) => -Math.log(row.reduce((sum, x) => sum + Math.exp(x), 0)));
  assertClose(await normalizerOf(rows), expected, 1e-5);
});

test('logits beyond the range of the exponential are no harm', async () => {
  const [high, low] = [1000, -1000];
  assertClose(
    await normalizerOf([
      [high, high, low],
      [low, low, low],
      [high, low, low],
    ]),
    [-high - Math.log(2), -low - Math.log(3), -high],
    1e-4,
  );
});
