// Debian packages that tests want besides those of npm.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const canInstall = process.getuid?.() === 0 && existsSync('/usr/bin/apt-get');

/**
 * Installs packages where that is possible.
 *
 * @param names  those that are missing
 * @returns why they cannot be had, `fatal` where that must not happen; or undefined when all is there
 */
export function bringPackages(names) {
  const fatal = mustHave();
  if (names.length > 0 && !canInstall) {
    return { reason: `these Debian packages are missing: ${names.join(' ')}`, fatal };
  }
  if (names.length > 0 && !aptInstall(names)) {
    return { reason: `apt-get could not install ${names.join(' ')}`, fatal };
  }
  return undefined;
}

/** Tells whether a failure to bring something must fail the run: on a machine where it can be had. */
export function mustHave() {
  return canInstall && process.env.CI === 'true';
}

export function isInstalled(name) {
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
