// What the workbench tests need besides npm packages: code-server and a Chromium.
// The harness finds them in the environment: THOUGHTLINE_CODE_SERVER{,_NODE} and THOUGHTLINE_BROWSER.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { buildPackages, findCodeServer, installCodeServer } from '../../scripts/tools.mjs';

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
  const canInstall = process.getuid() === 0 && existsSync('/usr/bin/apt-get');
  const fatal = canInstall && process.env.CI === 'true';
  const missing = missingPackages();
  if (missing.length > 0 && !canInstall) {
    return { reason: `these Debian packages are missing: ${missing.join(' ')}`, fatal };
  }
  if (missing.length > 0 && !aptInstall(missing)) {
    return { reason: `apt-get could not install ${missing.join(' ')}`, fatal };
  }
  try {
    const { node, entry } = installCodeServer(console.log);
    process.env.THOUGHTLINE_CODE_SERVER = entry;
    process.env.THOUGHTLINE_CODE_SERVER_NODE = node;
  } catch (error) {
    return { reason: `code-server could not be installed: ${error.message}`, fatal };
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

function isInstalled(name) {
  const { stdout } = spawnSync('dpkg', ['--status', name], { encoding: 'utf8' });
  return stdout?.includes('Status: install ok installed') ?? false;
}

function aptInstall(packages) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  console.log(`Installing ${packages.join(' ')}`);
  const apt = (...words) =>
    spawnSync('apt-get', ['-qq', ...words], { env, stdio: ['ignore', 'ignore', 'inherit'] }).status;
  return apt('update') === 0 && apt('install', '-y', '--no-install-recommends', ...packages) === 0;
}
