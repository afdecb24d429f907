import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { commands, extensions, Selection, window, workspace } from 'vscode';
import { type HostFigures, hostFiguresVariable } from './figures.ts';

const warmUp = 40;
const keystrokes = 100;
/** The two languages take turns, because the workbench itself gets faster as it warms up. */
const rounds = 4;
const sentence = 'The boats came home one by one before it was dark. ';
/** About 100 KB, so that work that grows with the document would show. */
const document = `# Boats\n\n${`${sentence.repeat(10).trim()}\n\n`.repeat(200)}`;

/** Measures inside the extension host; the entry that the workbench is given. */
export async function run(): Promise<void> {
  const extension = extensions.getExtension('thoughtline.thoughtline');
  if (extension === undefined) throw new Error('the extension is not installed');
  const bundle = join(extension.extensionPath, 'dist', 'extension.js');
  const beforeLoad = performance.now();
  require(bundle);
  const loadMs = performance.now() - beforeLoad;
  const activated = timeActivate(bundle);
  await extension.activate();
  const activateMs = activated();
  const otherMs: number[] = [];
  const markdownMs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const other = await typeIn('javascript');
    const markdown = await typeIn('markdown');
    if (round === 0) continue;
    otherMs.push(...other);
    markdownMs.push(...markdown);
  }
  const path = process.env[hostFiguresVariable];
  if (path === undefined) throw new Error(`${hostFiguresVariable} is not set`);
  const figures: HostFigures = { loadMs, activateMs, markdownMs, otherMs };
  writeFileSync(path, JSON.stringify(figures));
}

/** Puts a clock around the function that the editor will call. @returns what it read, in ms */
function timeActivate(bundle: string): () => number {
  const loaded = require.cache[require.resolve(bundle)];
  if (loaded === undefined) throw new Error('the bundle is not loaded');
  const { activate, ...others } = loaded.exports;
  let elapsed = Number.NaN;
  loaded.exports = {
    ...others,
    activate(context: unknown) {
      const start = performance.now();
      const result = activate(context);
      elapsed = performance.now() - start;
      return result;
    },
  };
  return () => elapsed;
}

/** Types sentences at the end of a new document. @returns how long each key kept the host busy */
async function typeIn(language: string): Promise<number[]> {
  const opened = await workspace.openTextDocument({ language, content: document });
  const editor = await window.showTextDocument(opened);
  const end = opened.lineAt(opened.lineCount - 1).range.end;
  editor.selection = new Selection(end, end);
  const busy: number[] = [];
  for (let i = 0; i < warmUp + keystrokes; i++) {
    const before = performance.eventLoopUtilization();
    await commands.executeCommand('type', { text: sentence[i % sentence.length] });
    const { active } = performance.eventLoopUtilization(before);
    if (i >= warmUp) busy.push(active);
  }
  return busy;
}
