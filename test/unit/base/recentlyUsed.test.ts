import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecentlyUsed } from '../../../server/base/recentlyUsed.ts';

test('what was used least recently is forgotten first', () => {
  const map = new RecentlyUsed<number | null>(2);
  map.set('a', 1);
  map.set('b', null);
  assert.equal(map.get('a'), 1);
  map.set('c', 3);
  assert.equal(map.get('b'), undefined);
  assert.equal(map.has('b'), false);
  map.set('a', 4);
  map.set('d', 5);
  assert.deepEqual([map.get('a'), map.get('c'), map.get('d')], [4, undefined, 5]);
  map.clear();
  assert.equal(map.has('a'), false);
});
