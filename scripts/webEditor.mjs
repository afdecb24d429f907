import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { installCodeServer } from './tools.mjs';

/** Only this machine may open the editor, which can read and write its files. */
const address = '127.0.0.1:8765';

/**
 * Opens a browser editor with this checkout's extension on a document, until it is interrupted.
 *
 * @param root  the checkout
 * @param file  the document
 */
export async function startWebEditor(root, file) {
  if (process.platform === 'win32') {
    console.error('code-server does not run on Windows itself: use VS Code, or WSL');
    process.exitCode = 1;
    return;
  }
  const { node, entry } = installCodeServer(console.log);
  const profile = join(root, '.tools', 'web');
  const extensions = join(profile, 'extensions');
  rmSync(extensions, { recursive: true, force: true });
  mkdirSync(extensions, { recursive: true });
  const { publisher, name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  symlinkSync(root, join(extensions, `${publisher}.${name}-${version}`));
  mkdirSync(join(profile, 'User'), { recursive: true });
  const settings = {
    'chat.disableAIFeatures': true,
    'workbench.secondarySideBar.defaultVisibility': 'hidden',
    'workbench.startupEditor': 'none',
  };
  writeFileSync(join(profile, 'User', 'settings.json'), JSON.stringify(settings));

  const folder = dirname(file);
  const payload = JSON.stringify([['openFile', `vscode-remote://${address}${file}`]]);
  console.log('\nOpen this in a browser; Ctrl+C ends it:');
  console.log(`http://${address}/?${new URLSearchParams({ folder, payload })}`);
  const editor = spawn(
    node,
    [
      entry,
      ...['--config', join(profile, 'config.yaml'), '--auth', 'none', '--bind-addr', address],
      ...['--user-data-dir', profile, '--extensions-dir', extensions],
      ...['--disable-workspace-trust', '--disable-telemetry', '--disable-update-check'],
      '--disable-getting-started-override',
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  editor.once('exit', (status) => {
    process.exitCode = status ?? 0;
  });
}
