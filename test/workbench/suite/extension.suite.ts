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
  let server: ChildProcess;

  before(async () => {
    const document = await workspace.openTextDocument({ language: 'markdown', content: story });
    editor = await window.showTextDocument(document);
    server = await watch.next();
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

  it('starts a server when a document in a language of ours is opened', () => {
    assert.equal(extensions.getExtension('thoughtline.thoughtline')?.isActive, true);
    assert.notEqual(server.pid, undefined);
  });

  it('registers every command of its manifest', async () => {
    const { contributes } = extensions.getExtension('thoughtline.thoughtline')?.packageJSON ?? {};
    const declared: { command: string }[] = contributes.commands;
    const registered = await commands.getCommands(true);
    assert.ok(declared.length > 0);
    for (const { command } of declared) assert.ok(registered.includes(command), command);
  });

  it('continues the text when it is asked to', async () => {
    assert.match(await sentenceBehind('The fishermen'), /\S/);
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

  it('replaces an unusable setting by its default', async () => {
    const settings = workspace.getConfiguration('thoughtline', editor.document);
    await settings.update('completion.candidates', 'many', ConfigurationTarget.Global);
    assert.match(await sentenceBehind('The fishermen'), /\S/);
    await settings.update('completion.candidates', undefined, ConfigurationTarget.Global);
  });

  it('restarts its server on command', async () => {
    await commands.executeCommand('thoughtline.restartServer');
    const restarted = await watch.next();
    assert.notEqual(restarted.pid, server.pid);
    await hasEnded(server);
    server = restarted;
    assert.match(await sentenceBehind('The fishermen'), /\S/);
  });

  it('starts a killed server again', async () => {
    server.kill('SIGKILL');
    const restarted = await watch.next();
    assert.notEqual(restarted.pid, server.pid);
    server = restarted;
    assert.match(await sentenceBehind('The fishermen'), /\S/);
  });
});
