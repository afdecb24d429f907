import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { launchInCodeServer } from '../workbench/harness/hostSuite.ts';
import { figure, percentiles } from './figures.ts';
import { type HostFigures, hostFiguresVariable } from './host/figures.ts';

/*
 * What the extension costs in the extension host of a real workbench: activation, and each
 * keystroke in a Markdown file beside the same keystroke in a language that is none of ours.
 */

void main();

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'thoughtline-bench-'));
  const workspace = join(folder, 'workspace');
  const results = join(folder, 'figures.json');
  mkdirSync(workspace);
  try {
    await launchInCodeServer({
      extension: process.cwd(),
      suite: join(__dirname, 'host', 'index.js'),
      workspace,
      environment: { [hostFiguresVariable]: results },
    });
    const figures: HostFigures = JSON.parse(readFileSync(results, 'utf8'));
    figure('load the bundle', figures.loadMs, 'ms');
    figure('activate', figures.activateMs, 'ms');
    percentiles('host busy per keystroke, Markdown', figures.markdownMs, 'ms');
    percentiles('host busy per keystroke, not ours', figures.otherMs, 'ms');
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
