#!/usr/bin/env node
// Stands in for a desktop VS Code where none can be had: takes the arguments that
// @vscode/test-electron gives one, and runs the suite in code-server instead. Wants npm's environment.
//
//   npm run test:electron -- --vscode-executable test/workbench/electronShim.mjs
import { importBundled } from './bundled.mjs';
import { bringWorkbench } from './requirements.mjs';

const option = (name) =>
  process.argv.find((word) => word.startsWith(`--${name}=`))?.slice(name.length + 3);

const obstacle = bringWorkbench();
if (obstacle) throw new Error(obstacle.reason);

const { launchInCodeServer } = await importBundled('test/workbench/harness/hostSuite.ts');
const exitCode = await launchInCodeServer({
  extension: option('extensionDevelopmentPath'),
  suite: option('extensionTestsPath'),
  workspace: process.argv.slice(2).find((word) => !word.startsWith('-')),
  environment: { THOUGHTLINE_RESULTS: process.env.THOUGHTLINE_RESULTS },
});
process.exit(exitCode);
