import { runTests } from '@vscode/test-electron';
import type { HostSuiteLauncher } from './hostSuite.ts';

/**
 * Launches a suite in a desktop VS Code: the one of $VSCODE_EXECUTABLE, or one that is downloaded.
 * On Linux a real one wants a display, for instance that of `xvfb-run`.
 */
export const launchInDesktop: HostSuiteLauncher = async (suite) => {
  const vscodeExecutablePath = process.env['VSCODE_EXECUTABLE'];
  return runTests({
    ...(vscodeExecutablePath === undefined ? {} : { vscodeExecutablePath }),
    extensionDevelopmentPath: suite.extension,
    extensionTestsPath: suite.suite,
    extensionTestsEnv: suite.environment,
    launchArgs: [suite.workspace, '--disable-extensions'],
  });
};
