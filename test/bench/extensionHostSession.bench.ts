import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { launchInCodeServer } from '../workbench/harness/hostSuite.ts';
import { figure, percentiles } from './figures.ts';
import { hostSessionVariable, type SessionFigures, type SessionTask } from './host/figures.ts';
import { recordedSession } from './session.ts';

/*
 * A session of typing, in real time, in the extension host of a real workbench: what a key costs
 * there, and whether every key arrives.
 */

void main();

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'thoughtline-bench-'));
  const workspace = join(folder, 'workspace');
  const results = join(folder, 'figures.json');
  const task = join(folder, 'session.json');
  mkdirSync(workspace);
  const recorded: SessionTask = { session: recordedSession(1), results };
  writeFileSync(task, JSON.stringify(recorded));
  try {
    await launchInCodeServer({
      extension: process.cwd(),
      suite: join(__dirname, 'host', 'session.js'),
      workspace,
      environment: { [hostSessionVariable]: task },
    });
    const { ours, other, profiled }: SessionFigures = JSON.parse(readFileSync(results, 'utf8'));
    figure('session in the host: keys', recorded.session.acts.length, '');
    for (const [name, figures] of [
      ['Markdown', ours],
      ['not ours', other],
      ['Markdown, profiled', profiled],
    ] as const) {
      figure(`${name}: text as expected`, Number(figures.isAsExpected), '');
      figure(`${name}: accepted`, figures.accepted, '');
      percentiles(`${name}: host late for a key`, figures.lateMs, 'ms');
      const { attributedMs } = figures;
      percentiles(`${name}: host busy per key`, figures.busyMs, 'ms');
      if (attributedMs.length === 0) continue;
      const total = attributedMs.reduce((sum, ms) => sum + ms, 0);
      figure(`${name}: host busy with our code per key, mean`, total / attributedMs.length, 'ms');
      percentiles(`${name}: host busy with our code per key`, attributedMs, 'ms');
    }
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
