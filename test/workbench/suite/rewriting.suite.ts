import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'mocha';
import {
  type CodeAction,
  commands,
  Range,
  TabInputTextDiff,
  type TextDocument,
  window,
  workspace,
} from 'vscode';
import { eventually } from '../harness/eventually.ts';

const text = '# The dog\n\nHe paid for it. He does not like strangers.\n';
const kept = '# The dog\n\nHe paid for it. ';
const sentence = new Range(2, 20, 2, 20);

describe('rewriting', () => {
  let document: TextDocument;

  beforeEach(async () => {
    document = await workspace.openTextDocument({ language: 'markdown', content: text });
    await window.showTextDocument(document);
  });

  /** Chooses the code action, and waits for the diff that it leads to. */
  async function openPreview() {
    const action = await eventually(async () => {
      const actions = await commands.executeCommand<CodeAction[]>(
        'vscode.executeCodeActionProvider',
        document.uri,
        sentence,
        'refactor.rewrite.thoughtline.rephrase',
      );
      return actions[0];
    }, 'the code action');
    const { command = '', arguments: given = [] } = action.command ?? {};
    const done = commands.executeCommand(command, ...given);
    const diff = await eventually(findDiff, 'the preview');
    const preview = await workspace.openTextDocument(diff.modified);
    return { done, diff, preview };
  }

  function findDiff(): TabInputTextDiff | undefined {
    return window.tabGroups.all
      .flatMap(({ tabs }) => tabs.map(({ input }) => input))
      .find((input) => input instanceof TabInputTextDiff);
  }

  it('goes from a code action through a diff to the text, and back by undo', async () => {
    const { done, diff, preview } = await openPreview();
    assert.equal(diff.original.toString(), document.uri.toString());
    assert.equal(document.getText(), text);
    const shown = preview.getText();
    assert.ok(shown.startsWith(kept) && shown !== text, shown);
    await commands.executeCommand('workbench.action.acceptSelectedQuickOpenItem');
    await done;
    assert.equal(document.getText(), shown);
    assert.equal(findDiff(), undefined);
    await window.showTextDocument(document);
    await commands.executeCommand('undo');
    assert.equal(document.getText(), text);
  });

  it('leaves the text as it is when nothing is chosen', async () => {
    const { done } = await openPreview();
    await commands.executeCommand('workbench.action.closeQuickOpen');
    await done;
    assert.equal(document.getText(), text);
    assert.equal(findDiff(), undefined);
  });

  it('does nothing to a text that has changed while it was asked about', async () => {
    const { done } = await openPreview();
    const editor = await window.showTextDocument(document, { preserveFocus: true });
    await editor.edit((edit) => edit.insert(document.lineAt(2).range.end, ' So.'));
    const changed = document.getText();
    await commands.executeCommand('workbench.action.acceptSelectedQuickOpenItem');
    await done;
    assert.equal(document.getText(), changed);
  });
});
