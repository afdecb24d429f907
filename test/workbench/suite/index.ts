import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { resultsVariable, type SuiteResults } from '../harness/results.ts';

/**
 * Runs every suite of this folder inside the extension host, and writes the results file.
 *
 * @throws Error when a test failed, so that the host's exit code tells too
 */
export async function run(): Promise<void> {
  const { default: Mocha } = await import('mocha');
  const mocha = new Mocha({ ui: 'bdd', reporter: Mocha.reporters.Base, timeout: 60_000 });
  for (const name of readdirSync(__dirname)) {
    if (name.endsWith('.suite.js')) mocha.addFile(join(__dirname, name));
  }
  const results: SuiteResults = { tests: [] };
  const failures = await new Promise<number>((resolve) => {
    mocha
      .run(resolve)
      .on('pass', (test) => results.tests.push({ title: test.fullTitle() }))
      .on('fail', (test, error) =>
        results.tests.push({ title: test.fullTitle(), error: error.stack ?? String(error) }),
      );
  });
  const path = process.env[resultsVariable];
  if (path === undefined) throw new Error(`${resultsVariable} is not set`);
  writeFileSync(path, JSON.stringify(results));
  if (failures > 0) throw new Error(`${failures} tests failed`);
}
