import { type TextEditor, window } from 'vscode';
import { languageIds } from '../protocol/settings.ts';

/** The active editor, if its document is in a language that we read. */
export function proseEditor(): TextEditor | undefined {
  const editor = window.activeTextEditor;
  return languageIds.some((id) => id === editor?.document.languageId) ? editor : undefined;
}
