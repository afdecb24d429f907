import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

function checkClean(command: string): void {
  const { status, stdout, stderr } = spawnSync(command, { shell: true, encoding: 'utf8' });
  assert.equal(status, 0, `${command}\n${stdout}${stderr}`);
}

test('the types check', () => checkClean('npx tsc -b'));

test('format and lint are clean', () => checkClean('npx biome ci .'));
