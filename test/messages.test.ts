import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as completion from '../protocol/completion.ts';
import * as server from '../protocol/server.ts';

test('every message of the protocol is described in ARCHITECTURE.md, and no other', () => {
  const exported: unknown[] = [...Object.values(server), ...Object.values(completion)];
  const methods = exported.flatMap((one) => {
    const isMessage = typeof one === 'object' && one !== null && 'method' in one;
    return isMessage ? [String(one.method)] : [];
  });
  assert.ok(methods.length >= 3);
  const rows = readFileSync('ARCHITECTURE.md', 'utf8').matchAll(/^\| `(thoughtline\/\w+)` \|/gm);
  assert.deepEqual([...rows].map(([, method]) => String(method)).sort(), methods.sort());
});
