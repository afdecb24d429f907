import assert from 'node:assert/strict';
import { test } from 'node:test';
import { launchInDesktop } from './harness/desktop.ts';
import { launchInCodeServer, runHostSuite } from './harness/hostSuite.ts';

const desktop = process.env['THOUGHTLINE_WORKBENCH'] === 'electron';

test(`the suite inside the extension host of ${desktop ? 'VS Code' : 'code-server'}`, async (t) => {
  const results = await runHostSuite(desktop ? launchInDesktop : launchInCodeServer, __dirname);
  assert.ok(results.tests.length > 0, 'the suite has tests');
  for (const { title, error } of results.tests) {
    await t.test(title, () => assert.equal(error, undefined, error));
  }
});
