import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fields } from '../../../server/model/fields.ts';
import { configErrors } from '../../../server/model/parseConfig.ts';
import { parseEntropyConfig } from '../../../server/model/parseEntropyConfig.ts';
import { tinyEntropyModel } from '../../support/tinyModels.ts';
import { tinyConfig } from '../../support/tinySources.ts';

function parse(changes: object = {}) {
  const value = { ...tinyConfig.entropy, ...changes };
  return parseEntropyConfig(new Fields(value, 'entropy', configErrors));
}

test('a configuration has the names of the trainer', () => {
  assert.deepEqual(parse(), tinyEntropyModel);
  assert.equal(parse({ rope_theta: 100 }).ropeTheta, 100);
});

for (const [changes, message] of [
  [{ num_attn_heads: 3 }, /entropy\.num_attn_heads: expected a divisor of model_dim 16, found 3/],
  [{ num_attn_heads: 16 }, /entropy\.num_attn_heads: expected a divisor/],
  [{ vocab_size: 0 }, /entropy\.vocab_size: expected an integer/],
  [{ max_seq_len: 1e9 }, /entropy\.max_seq_len: expected an integer from 4 to 32768/],
  [{ heads: 2 }, /entropy: expected no field "heads"/],
] as const) {
  test(`${JSON.stringify(changes)} is refused`, () => assert.throws(() => parse(changes), message));
}
