// Brings code-server: a whole VS Code workbench that npm can install where a VS Code cannot be downloaded.
// It is kept out of package.json, because only the workbench tests and `start:web` want its 600 MB.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const codeServerVersion = '4.139.1';

/** code-server 4.139 wants Node 24, at install and at run time; this package carries its headers too. */
const nodeVersion = '24.21.0';
const nodePackage = `node-${process.platform}-${process.arch}`;
const folderName = `code-server-${codeServerVersion}-${nodePackage}-${nodeVersion}`;

/** What code-server's native modules are built with: kerberos wants libkrb5-dev. */
export const buildPackages = ['g++', 'make', 'python3', 'pkg-config', 'libkrb5-dev'];

/** Where code-server may lie: the checkout's own folder, then the one that all clones of a user share. */
function toolFolders() {
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  return [join(root, '.tools'), join(cache, 'thoughtline-tools')].map((f) => join(f, folderName));
}

function toolsIn(folder) {
  const modules = join(folder, 'node_modules');
  return {
    node: join(modules, nodePackage, 'bin', 'node'),
    entry: join(modules, 'code-server', 'out', 'node', 'entry.js'),
  };
}

/**
 * Returns an installed code-server.
 *
 * @returns the paths of its Node and of its entry script, or undefined when it is not installed
 */
export function findCodeServer() {
  return toolFolders()
    .map(toolsIn)
    .find(({ node, entry }) => existsSync(node) && existsSync(entry));
}

/**
 * Returns code-server, and installs it first when there is none: minutes, once per user and version.
 *
 * @param log  receives one line about what takes so long
 * @returns the paths of its Node and of its entry script
 */
export function installCodeServer(log) {
  const found = findCodeServer();
  if (found) return found;
  const { folder, aside } = makeFolder();
  log(`Installing code-server ${codeServerVersion} into ${folder}: some minutes, once`);
  const removeAside = () => rmSync(aside, { recursive: true, force: true });
  process.once('exit', removeAside);
  try {
    writeFileSync(join(aside, 'package.json'), '{ "private": true }\n');
    npmInstall(aside, `${nodePackage}@${nodeVersion}`);
    npmInstall(aside, `code-server@${codeServerVersion}`);
    // Another run may have been faster; the folder bears the versions in its name, so either will do.
    if (!findCodeServer()) {
      rmSync(folder, { recursive: true, force: true });
      renameSync(aside, folder);
    }
  } finally {
    removeAside();
    process.off('exit', removeAside);
  }
  return toolsIn(folder);
}

/**
 * Makes the folder to install into: the shared one if it can be written, so that the next clone
 * finds it. The work is done aside and renamed when it is whole, so that nobody ever finds half of it.
 */
function makeFolder() {
  let reason;
  for (const folder of toolFolders().reverse()) {
    try {
      mkdirSync(dirname(folder), { recursive: true });
      return { folder, aside: mkdtempSync(`${folder}-`) };
    } catch (error) {
      reason = error;
    }
  }
  throw reason;
}

function npmInstall(folder, spec) {
  const node = join(folder, 'node_modules', nodePackage);
  const env = {
    ...process.env,
    // code-server reads here which Node installs it; under `npm test` it would be npm's own.
    npm_config_user_agent: undefined,
    PATH: `${join(node, 'bin')}:${process.env.PATH}`,
    // The headers for node-gyp, which would otherwise be fetched from nodejs.org.
    npm_config_nodedir: node,
  };
  const npm = ['install', '--no-audit', '--no-fund', '--loglevel=error', spec];
  execFileSync('npm', npm, { cwd: folder, env, stdio: ['ignore', 2, 2] });
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  console.log(installCodeServer((line) => console.error(line)).entry);
}
