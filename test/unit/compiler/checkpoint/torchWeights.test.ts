import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CheckpointUnsupportedError } from '../../../../server/base/errors.ts';
import { openBytes } from '../../../support/memoryByteSource.ts';
import {
  call,
  dict,
  global,
  integer,
  join,
  op,
  orderedDict,
  type PickleBytes,
  pickle,
  tuple,
} from '../../../support/pickleWriter.ts';
import { checkRefused } from '../../../support/refused.ts';
import { rebuiltTensor, storageId, torchArchive } from '../../../support/torchWriter.ts';

const storage = storageId('FloatStorage', '0', 6);
const weight = rebuiltTensor(storage, 0, [2, 3], [3, 1]);

function open(value: PickleBytes) {
  return openBytes(torchArchive(pickle(value), { 0: new Uint8Array(24) }));
}

test('the state dict is found under the keys of trainers, and alone', () => {
  const names = (value: PickleBytes) => open(value).names();
  const state = orderedDict(['w', weight]);
  const rng = rebuiltTensor(storage, 0, [1], [1]);
  assert.deepEqual(names(state), ['w']);
  for (const key of ['model', 'state_dict', 'model_state_dict']) {
    assert.deepEqual(names(dict(['epoch', integer(1)], [key, state], ['rng', rng])), ['w']);
  }
  assert.deepEqual(names(dict(['model', weight], ['x', weight])), ['model', 'x']);
  assert.deepEqual(names(dict(['model', dict(['lr', integer(1)])], ['state_dict', state])), ['w']);
  assert.deepEqual(names(dict(['net', state])), ['net.w']);
  assert.deepEqual(names(dict(['w', weight], ['list', tuple(integer(1), rng)])), ['w', 'list.1']);
  checkRefused(
    () => names(dict(['model', state], ['state_dict', state])),
    /expected one state dict, found model and state_dict/,
    CheckpointUnsupportedError,
  );
});

test('an embedding module stands for its weight, beside or in the state dict', () => {
  const state = orderedDict(['norm', weight]);
  const parameters = (...entries: [string, PickleBytes][]) =>
    join(
      call(global('torch.nn.modules.sparse', 'Embedding')),
      dict(['training', op.NEWTRUE], ['_parameters', orderedDict(...entries)]),
      op.BUILD,
    );
  const module = parameters(['weight', weight]);
  assert.deepEqual(open(dict(['state_dict', state], ['embed_tokens', module])).names(), [
    'norm',
    'embed_tokens.weight',
  ]);
  assert.deepEqual(open(orderedDict(['w', module])).names(), ['w.weight']);
  const twice = orderedDict(['embed_tokens.weight', weight]);
  checkRefused(
    () => open(dict(['state_dict', twice], ['embed_tokens', module])),
    /embed_tokens\.weight: expected one tensor of this name, found two/,
  );
  checkRefused(
    () => open(orderedDict(['w', join(module, dict(), op.BUILD)])),
    /expected one state of an object, found a second/,
  );
});

test('what holds no weights is refused', () => {
  const others: readonly [PickleBytes, RegExp][] = [
    [op.NONE, /expected a state dict, found None/],
    [weight, /expected a state dict, found a TorchTensor/],
    [op.EMPTY_LIST, /expected a state dict, found a list/],
    [op.EMPTY_DICT, /expected tensors, found none/],
    [dict(['model', op.EMPTY_DICT]), /expected tensors, found none/],
    [dict(['a.b', weight], ['a', dict(['b', weight])]), /a\.b: expected one tensor of this name/],
  ];
  for (const [value, expected] of others) checkRefused(() => open(value), expected);
});

test('a long name is refused before nesting repeats it', () => {
  const long = 'x'.repeat(1001);
  assert.deepEqual(open(orderedDict([long.slice(1), weight])).names(), [long.slice(1)]);
  checkRefused(
    () => open(orderedDict([long, weight])),
    /a name of at most 1000 letters, found 1001/,
  );
  const nested = dict([long.slice(1), dict(['w', weight])]);
  checkRefused(() => open(nested), /a name of at most 1000 letters, found 1002/);
});

test('values in values without end are refused in bounded time', () => {
  const self = Buffer.from('}q\x09X\x01\x00\x00\x00ah\x09s', 'latin1'); // {'a': itself}
  checkRefused(() => open(self), /in 8 levels, found more/);
  const wide = Buffer.from(`]q\x09(${'h\x09'.repeat(100)}e`, 'latin1'); // itself a hundred times
  checkRefused(() => open(dict(['a', wide])), /in 8 levels, found more/);
  const leaf = Buffer.from(`(${'N'.repeat(100)}tq\x09`, 'latin1');
  const level = Buffer.from(`(${'h\x09'.repeat(100)}tq\x09`, 'latin1');
  const bomb = tuple(leaf, level, level, level, level); // 10⁸ values and more
  checkRefused(() => open(dict(['a', bomb])), /at most 1000000 values/);
});
