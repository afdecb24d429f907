// Tools that npm can install and that are kept out of package.json, because few people want their size.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** Where tools may lie: the checkout's own folder, then the one that all clones of a user share. */
function toolFolders(folderName) {
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  return [join(root, '.tools'), join(cache, 'thoughtline-tools')].map((f) => join(f, folderName));
}

/**
 * Returns an installed tool.
 *
 * @param folderName  of the tool, with its version
 * @param toolIn      returns the tool of a folder, or undefined when it is not whole
 */
export function findTool(folderName, toolIn) {
  for (const folder of toolFolders(folderName)) {
    const tool = toolIn(folder);
    if (tool) return tool;
  }
  return undefined;
}

/**
 * Returns a tool, and installs it first when there is none: once per user and version.
 *
 * @param install  fills an empty folder
 * @param log      receives one line about what takes so long
 */
export function installTool(folderName, toolIn, install, log) {
  const found = findTool(folderName, toolIn);
  if (found) return found;
  const { folder, aside } = makeFolder(folderName);
  log(`Installing ${folderName} into ${folder}: some minutes, once`);
  const removeAside = () => rmSync(aside, { recursive: true, force: true });
  process.once('exit', removeAside);
  try {
    writeFileSync(join(aside, 'package.json'), '{ "private": true }\n');
    install(aside);
    // Another run may have been faster; the folder bears the versions in its name, so either will do.
    if (!findTool(folderName, toolIn)) {
      rmSync(folder, { recursive: true, force: true });
      renameSync(aside, folder);
    }
  } finally {
    removeAside();
    process.off('exit', removeAside);
  }
  return findTool(folderName, toolIn);
}

/**
 * Makes the folder to install into: the shared one if it can be written, so that the next clone
 * finds it. The work is done aside and renamed when it is whole, so that nobody ever finds half of it.
 */
function makeFolder(folderName) {
  let reason;
  for (const folder of toolFolders(folderName).reverse()) {
    try {
      mkdirSync(dirname(folder), { recursive: true });
      return { folder, aside: mkdtempSync(`${folder}-`) };
    } catch (error) {
      reason = error;
    }
  }
  throw reason;
}

/** Installs a package into a folder, with more environment variables. */
export function npmInstall(folder, spec, env = {}) {
  const npm = ['install', '--no-audit', '--no-fund', '--loglevel=error', spec];
  execFileSync('npm', npm, {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ['ignore', 2, 2],
  });
}
