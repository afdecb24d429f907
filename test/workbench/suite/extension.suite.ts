import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { after, before, describe, it } from 'mocha';
import {
  ConfigurationTarget,
  commands,
  extensions,
  Selection,
  type TextEditor,
  window,
  workspace,
} from 'vscode';
import { eventually } from '../harness/eventually.ts';
import { hasEnded, ServerWatch } from './servers.ts';

const story = `---
title: The storm.
---

# The storm had passed.

The storm had passed over the island in the night.
The fishermen went down to the beach to look for their boats.

\`\`\`text
The tide was low.
\`\`\`

<!-- The tide was low. -->

| The tide was low. |
|---|

$$
x = 1.
$$
`;

describe('the extension', () => {
  const watch = new ServerWatch();
  let editor: TextEditor;

  before(async () => {
    const document = await workspace.openTextDocument({ language: 'markdown', content: story });
    editor = await window.showTextDocument(document);
  });
  after(() => watch.dispose());

  /** Asks for a sentence behind a line that begins like this, accepts it, takes it back and returns it. */
  async function askBehind(beginning: string): Promise<string> {
    const { document } = editor;
    // The editor does not ask twice at one place in one version of a text.
    await editor.edit((edit) =>
      edit.insert(document.lineAt(document.lineCount - 1).range.end, '\n'),
    );
    const before = document.getText();
    const line = before.split('\n').findIndex((text) => text.startsWith(beginning));
    assert.notEqual(line, -1, beginning);
    const caret = document.lineAt(line).range.end;
    editor.selection = new Selection(caret, caret);
    await commands.executeCommand('thoughtline.triggerCompletion');
    await commands.executeCommand('editor.action.inlineSuggest.commit');
    const after = document.getText();
    if (after !== before) await commands.executeCommand('undo');
    assert.equal(document.getText(), before);
    const offset = document.offsetAt(caret);
    return after.slice(offset, offset + after.length - before.length);
  }

  /** Asks until the model is ready: before that there is nothing to offer. */
  async function sentenceBehind(beginning: string): Promise<string> {
    return eventually(async () => (await askBehind(beginning)) || undefined, 'a sentence');
  }

  async function restart(): Promise<ChildProcess> {
    const started = watch.next();
    await commands.executeCommand('thoughtline.restartServer');
    return started;
  }

  it('is active in a document of ours, and continues it when it is asked to', async () => {
    assert.match(await sentenceBehind('The fishermen'), /\S/);
    assert.equal(extensions.getExtension('thoughtline.thoughtline')?.isActive, true);
  });

  it('registers every command of its manifest', async () => {
    const { contributes } = extensions.getExtension('thoughtline.thoughtline')?.packageJSON ?? {};
    const declared: { command: string }[] = contributes.commands;
    const registered = await commands.getCommands(true);
    assert.ok(declared.length > 0);
    for (const { command } of declared) assert.ok(registered.includes(command), command);
  });

  for (const [place, beginning] of [
    ['front matter', 'title:'],
    ['a heading', '# The'],
    ['a code block', 'The tide'],
    ['a comment', '<!--'],
    ['a table', '|'],
    ['mathematics', 'x ='],
  ] as const) {
    it(`offers nothing in ${place}`, async () => {
      assert.equal(await askBehind(beginning), '');
    });
  }

  it('offers nothing in a language that is switched off', async () => {
    const settings = workspace.getConfiguration('thoughtline', editor.document);
    await settings.update('completion.enabled', false, ConfigurationTarget.Global);
    await eventually(async () => (await askBehind('The fishermen')) === '', 'silence');
    await settings.update('completion.enabled', undefined, ConfigurationTarget.Global);
    assert.match(await sentenceBehind('The fishermen'), /\S/);
  });

  it('offers nothing in a language that is switched off for itself alone', async () => {
    const settings = workspace.getConfiguration('thoughtline', editor.document);
    const set = (value?: boolean) =>
      settings.update('completion.enabled', value, ConfigurationTarget.Global, true);
    await set(false);
    await eventually(async () => (await askBehind('The fishermen')) === '', 'silence');
    await set(undefined);
    assert.match(await sentenceBehind('The fishermen'), /\S/);
  });

  it('replaces an unusable setting by its default', async () => {
    const settings = workspace.getConfiguration('thoughtline', editor.document);
    await settings.update('completion.candidates', 'many', ConfigurationTarget.Global);
    assert.match(await sentenceBehind('The fishermen'), /\S/);
    await settings.update('completion.candidates', undefined, ConfigurationTarget.Global);
  });

  it('restarts its server on command', async () => {
    const first = await restart();
    const second = await restart();
    assert.notEqual(second.pid, first.pid);
    await hasEnded(first);
    assert.match(await sentenceBehind('The fishermen'), /\S/);
  });

  it('starts a killed server again', async () => {
    const server = await restart();
    assert.match(await sentenceBehind('The fishermen'), /\S/);
    const started = watch.next();
    server.kill('SIGKILL');
    assert.notEqual((await started).pid, server.pid);
    assert.match(await sentenceBehind('The fishermen'), /\S/);
  });
});
