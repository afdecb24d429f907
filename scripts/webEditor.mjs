// A browser editor with the extension on the sample document: code-server, installed when needed.
import { spawn } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { installCodeServer } from './tools.mjs';

const settings = { 'workbench.startupEditor': 'none', 'chat.disableAIFeatures': true };

/**
 * Serves the editor until it is interrupted, and prints its address.
 *
 * @param root    the folder of the extension
 * @param sample  the document to open; a copy of it, so that trying changes nothing
 */
export async function startWebEditor(root, sample) {
  if (process.platform === 'win32') {
    console.log(
      '\nThe browser editor, code-server, does not run on Windows; open the folder in VS Code.',
    );
    return;
  }
  const { node, entry } = installCodeServer(console.log);
  const home = mkdtempSync(join(tmpdir(), 'thoughtline-web-'));
  const folder = (...names) => {
    mkdirSync(join(home, ...names), { recursive: true });
    return join(home, ...names);
  };
  const document = join(folder('workspace'), basename(sample));
  cpSync(sample, document);
  const { publisher, name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  symlinkSync(root, join(folder('extensions'), `${publisher}.${name}-${version}`), 'junction');
  writeFileSync(join(folder('data', 'User'), 'settings.json'), JSON.stringify(settings));

  const editor = spawn(
    node,
    [
      entry,
      ...['--config', join(home, 'config.yaml'), '--auth', 'none'],
      ...['--bind-addr', '127.0.0.1:0', '--user-data-dir', folder('data')],
      ...['--extensions-dir', folder('extensions'), '--disable-workspace-trust'],
      ...['--disable-telemetry', '--disable-update-check', '--disable-getting-started-override'],
    ],
    { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, EXTENSIONS_GALLERY: '{}' } },
  );
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => editor.kill());
  for await (const line of createInterface({ input: editor.stdout })) {
    const origin = /HTTP server listening on (http:\S+\d)/.exec(line)?.[1];
    if (origin === undefined) continue;
    const address = new URL(origin);
    const file = `vscode-remote://${address.host}${document}`;
    address.searchParams.set('folder', folder('workspace'));
    address.searchParams.set('payload', JSON.stringify([['openFile', file]]));
    console.log(`\nOpen ${address}`);
    console.log('There, put the caret at the end of a sentence, and wait a moment.');
    console.log('Ctrl+C ends it.');
  }
  rmSync(home, { recursive: true, force: true });
}
