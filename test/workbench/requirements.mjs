// What the workbench tests need besides npm packages: code-server and a Chromium.
// The harness finds them in the environment: THOUGHTLINE_CODE_SERVER{,_NODE} and THOUGHTLINE_BROWSER.
import { existsSync } from 'node:fs';
import { buildPackages, findCodeServer, installCodeServer } from '../../scripts/tools.mjs';
import { bringPackages, isInstalled, mustHave } from '../support/packages.mjs';

const browsers = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const browserPackages = ['chromium', 'fonts-dejavu-core'];

/**
 * Finds or brings what the workbench tests need.
 *
 * @returns why they cannot run here, `fatal` where that must not happen; or undefined when all is there
 */
export function bringWorkbench() {
  if (process.platform !== 'linux') {
    return {
      reason: `they drive code-server and Chromium on Linux, and this is ${process.platform}`,
    };
  }
  const obstacle = bringPackages(missingPackages());
  if (obstacle) return obstacle;
  try {
    const { node, entry } = installCodeServer(console.log);
    process.env.THOUGHTLINE_CODE_SERVER = entry;
    process.env.THOUGHTLINE_CODE_SERVER_NODE = node;
  } catch (error) {
    return { reason: `code-server could not be installed: ${error.message}`, fatal: mustHave() };
  }
  process.env.THOUGHTLINE_BROWSER = browsers.find(existsSync);
  return undefined;
}

function missingPackages() {
  const needed = [
    ...(browsers.some(existsSync) ? [] : browserPackages),
    ...(findCodeServer() ? [] : buildPackages),
  ];
  return needed.filter((name) => !isInstalled(name));
}
