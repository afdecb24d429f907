import { commands, Disposable, type Position, Range, type TextEditor, window } from 'vscode';
import { type AcceptedPart, endOfPart } from './acceptedPart.ts';
import type { GhostText } from './ghostText.ts';

/** More words than a sentence has: a loop that would go on is ended. */
const maxWords = 64;

/** Accepting a suggestion by sentence or clause; whole and by word are the editor's own. */
export function registerAccepting(ghostText: GhostText): Disposable {
  const accept = async (part: AcceptedPart): Promise<void> => {
    const editor = window.activeTextEditor;
    if (editor !== undefined) await acceptPart(editor, ghostText, part);
  };
  return Disposable.from(
    commands.registerCommand('thoughtline.acceptSentence', () => accept('sentence')),
    commands.registerCommand('thoughtline.acceptClause', () => accept('clause')),
  );
}

/**
 * Accepts a part of what is shown. The editor does not tell which of the suggestions that is, so its
 * words are taken one by one until only one is left that begins with them; the rest is inserted.
 */
async function acceptPart(
  editor: TextEditor,
  ghostText: GhostText,
  part: AcceptedPart,
): Promise<void> {
  const start = editor.selection.active;
  const offered = ghostText.restsAt(editor.document, start);
  const isWhole = offered.every((text) => endOfPart(text, part) === text.length);
  if (isWhole) {
    await commands.executeCommand('editor.action.inlineSuggest.commit');
    return;
  }
  let taken = '';
  for (let words = 0; words < maxWords; words++) {
    await commands.executeCommand('editor.action.inlineSuggest.acceptNextWord');
    const before = taken;
    taken = textSince(editor, start);
    const possible = offered.filter((text) => text.startsWith(taken));
    if (taken === before || possible.length === 0) return;
    const rests = new Set(
      possible.map((text) =>
        text.slice(taken.length, Math.max(taken.length, endOfPart(text, part))),
      ),
    );
    if (rests.size > 1) continue;
    const [rest = ''] = rests;
    const end = editor.selection.active;
    // With the last word it is taken back as one.
    const options = { undoStopBefore: false, undoStopAfter: true };
    if (rest !== '') await editor.edit((edit) => edit.insert(end, rest), options);
    return;
  }
}

function textSince({ document, selection }: TextEditor, start: Position): string {
  return document.getText(new Range(start, selection.active));
}
