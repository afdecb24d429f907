// Shows the main job: first in the terminal, then in the editor when `code` is on the PATH.
// `--web` opens a browser editor instead (code-server, fetched then).
import { spawn, spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const sample = join(root, 'samples', 'harbour.md');
const isWindows = process.platform === 'win32';

const shown = spawnSync(process.execPath, [join(root, 'dist', 'cli.js'), 'show', sample], {
  stdio: 'inherit',
});
if (shown.status !== 0) process.exit(shown.status ?? 1);

if (process.argv.includes('--web')) {
  const { startWebEditor } = await import('./webEditor.mjs');
  await startWebEditor(root, sample);
} else if (spawnSync('code', ['--version'], { shell: isWindows, stdio: 'ignore' }).status === 0) {
  console.log('\nOpening VS Code. Put the caret at the end of a sentence and wait a moment.');
  const quoted = (path) => (isWindows ? `"${path}"` : path);
  spawn(
    'code',
    ['--new-window', `--extensionDevelopmentPath=${quoted(root)}`, quoted(root), quoted(sample)],
    { shell: isWindows, stdio: 'ignore', detached: !isWindows },
  ).unref();
} else {
  console.log('\n`code` is not on the PATH; `npm run start:web` opens a browser editor instead.');
}
