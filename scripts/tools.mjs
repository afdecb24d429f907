// Brings code-server: a whole VS Code workbench that npm can install where a VS Code cannot be downloaded.
// It is kept out of package.json, because only the workbench tests and `start:web` want its 600 MB.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { findTool, installTool, npmInstall } from './toolFolder.mjs';

const codeServerVersion = '4.139.1';

/** code-server 4.139 wants Node 24, at install and at run time; this package carries its headers too. */
const nodeVersion = '24.21.0';
const nodePackage = `node-${process.platform}-${process.arch}`;
const folderName = `code-server-${codeServerVersion}-${nodePackage}-${nodeVersion}`;

/** What code-server's native modules are built with: kerberos wants libkrb5-dev. */
export const buildPackages = ['g++', 'make', 'python3', 'pkg-config', 'libkrb5-dev'];

function codeServerIn(folder) {
  const modules = join(folder, 'node_modules');
  const node = join(modules, nodePackage, 'bin', 'node');
  const entry = join(modules, 'code-server', 'out', 'node', 'entry.js');
  return existsSync(node) && existsSync(entry) ? { node, entry } : undefined;
}

/**
 * Returns an installed code-server.
 *
 * @returns the paths of its Node and of its entry script, or undefined when it is not installed
 */
export function findCodeServer() {
  return findTool(folderName, codeServerIn);
}

/**
 * Returns code-server, and installs it first when there is none: minutes, once per user and version.
 *
 * @param log  receives one line about what takes so long
 * @returns the paths of its Node and of its entry script
 */
export function installCodeServer(log) {
  return installTool(folderName, codeServerIn, install, log);
}

function install(folder) {
  npmInstall(folder, `${nodePackage}@${nodeVersion}`);
  const node = join(folder, 'node_modules', nodePackage);
  npmInstall(folder, `code-server@${codeServerVersion}`, {
    // code-server reads here which Node installs it; under `npm test` it would be npm's own.
    npm_config_user_agent: undefined,
    PATH: `${join(node, 'bin')}:${process.env.PATH}`,
    // The headers for node-gyp, which would otherwise be fetched from nodejs.org.
    npm_config_nodedir: node,
  });
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  console.log(installCodeServer((line) => console.error(line)).entry);
}
