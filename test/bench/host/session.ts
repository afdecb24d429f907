import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { commands, extensions, Selection, type TextDocument, window, workspace } from 'vscode';
import { type Act, perform, type Session } from '../session.ts';
import { hostSessionVariable, type SessionFigures, type SessionTask } from './figures.ts';
import { attributedMs, startProfile } from './profile.ts';

const numWarmUpActs = 60;

/** Replays a session by the editor's own commands in a real extension host. */
export async function run(): Promise<void> {
  const path = process.env[hostSessionVariable];
  if (path === undefined) throw new Error(`${hostSessionVariable} is not set`);
  const { session, results }: SessionTask = JSON.parse(readFileSync(path, 'utf8'));
  const extension = extensions.getExtension('thoughtline.thoughtline');
  if (extension === undefined) throw new Error('the extension is not installed');
  await extension.activate();
  const bundle = join(extension.extensionPath, 'dist', 'extension.js');
  await workspace.getConfiguration('editor').update('autoClosingBrackets', 'never', true);
  // A workbench that has just opened is busy with itself.
  await replayIn('markdown', { ...session, acts: session.acts.slice(0, numWarmUpActs) });
  const figures: SessionFigures = {
    other: await replayIn('javascript', session),
    ours: await replayIn('markdown', session),
    // Apart, because a profile keeps the host from its work.
    profiled: await replayIn('markdown', session, bundle),
  };
  writeFileSync(results, JSON.stringify(figures));
}

async function replayIn(
  language: string,
  session: Session,
  profiledBundle?: string,
): Promise<SessionFigures['ours']> {
  const document = await workspace.openTextDocument({ language, content: session.head });
  const editor = await window.showTextDocument(document);
  const end = document.positionAt(session.head.length);
  editor.selection = new Selection(end, end);

  const writer = new Typist(document, session.head);
  const profile = profiledBundle === undefined ? null : await startProfile();
  const lateMs = await perform(session, (act) => writer.act(act));
  const attributed =
    profile === null || profiledBundle === undefined
      ? []
      : attributedMs(await profile.stop(), profiledBundle, writer.keyTimes);
  return {
    lateMs,
    busyMs: writer.busyMs,
    attributedMs: attributed,
    accepted: writer.accepted,
    isAsExpected: document.getText() === writer.expected,
  };
}

/** Presses keys and knows what the document should be. */
class Typist {
  readonly #document: TextDocument;
  expected: string;
  accepted = 0;
  /** When each key was pressed, in µs of the clock of `process.hrtime`. */
  readonly keyTimes: number[] = [];
  readonly busyMs: number[] = [];
  #before: string | undefined;
  #utilization = performance.eventLoopUtilization();

  constructor(document: TextDocument, text: string) {
    this.#document = document;
    this.expected = text;
  }

  async act(act: Act): Promise<void> {
    this.busyMs.push(performance.eventLoopUtilization(this.#utilization).active);
    this.#utilization = performance.eventLoopUtilization();
    this.keyTimes.push(Number(process.hrtime.bigint() / 1000n));
    if (act.kind === 'key') {
      this.expected += act.text;
      await commands.executeCommand('type', { text: act.text });
    } else if (act.kind === 'erase') {
      this.expected = this.expected.slice(0, -1);
      await commands.executeCommand('deleteLeft');
    } else if (act.kind === 'accept') {
      await this.#accept();
    } else if (this.#before !== undefined) {
      this.expected = this.#before;
      await commands.executeCommand('undo');
    }
  }

  /** What is accepted is up to the model; that nothing else changes is not. */
  async #accept(): Promise<void> {
    const before = this.#document.getText();
    if (before !== this.expected) throw new Error('keys: expected the text that was typed');
    await commands.executeCommand('editor.action.inlineSuggest.commit');
    const after = this.#document.getText();
    this.#before = after === before ? undefined : before;
    if (after === before || !after.startsWith(before)) return;
    this.accepted += 1;
    this.expected = after;
  }
}
