import {
  commands,
  type Disposable,
  env,
  l10n,
  type Position,
  type QuickPickItem,
  type TextDocument,
  window,
} from 'vscode';
import { type SuggestionFacts, serverCommands } from '../protocol/completion.ts';
import type { ServerClient } from './client.ts';
import type { GhostText } from './ghostText.ts';
import { nameOfLanguage } from './languageNames.ts';
import { proseEditor } from './proseEditor.ts';

/** `Thoughtline: Why This Suggestion?`: what made it, and the others, any of which can be taken. */
export function registerExplain(client: ServerClient, ghostText: GhostText): Disposable {
  return commands.registerCommand('thoughtline.explainSuggestion', async () => {
    const editor = proseEditor();
    if (editor === undefined) return;
    const { document } = editor;
    const caret = editor.selection.active;
    const uri = document.uri.toString();
    const facts = await client.run<SuggestionFacts | null>(serverCommands.explain, { uri });
    if (facts === undefined) return;
    if (facts === null) {
      void window.showInformationMessage(l10n.t('Nothing was suggested in this document yet.'));
      return;
    }
    const { version } = document;
    const picked = await window.showQuickPick(facts.candidates.map(itemOf), {
      title: l10n.t('Why This Suggestion?'),
      placeHolder: describe(facts),
    });
    if (picked === undefined || document.version !== version) return;
    const offered = ghostText.restOf(picked.label, document, caret);
    const text = offered ?? spaced(picked.label, document, caret);
    await editor.edit((edit) => edit.insert(caret, text));
  });
}

/** What is no longer offered is not fitted to this place: it is at least a word of its own. */
function spaced(text: string, document: TextDocument, { line, character }: Position): string {
  const before = document.lineAt(line).text.slice(0, character);
  return before === '' || /\s$/.test(before) ? text : ` ${text}`;
}

function describe(facts: SuggestionFacts): string {
  const { model, conceptModel, steps, lang, latencyMs, wasPrepared } = facts;
  return [
    l10n.t('{0}, {1}', model, conceptModel),
    l10n.t('{0} steps', steps),
    nameOfLanguage(lang, env.language),
    wasPrepared ? l10n.t('was ready') : l10n.t('{0} ms', Math.round(latencyMs)),
  ].join(' · ');
}

function itemOf({
  text,
  origin,
  agreement,
  confidence,
}: SuggestionFacts['candidates'][number]): QuickPickItem {
  const facts = [
    l10n.t('agreement {0}', agreement.toFixed(2)),
    ...(confidence === null ? [] : [l10n.t('confidence {0}', confidence.toFixed(2))]),
    ...(origin === 'own' ? [l10n.t('your own sentence')] : []),
  ];
  return { label: text.trim(), detail: facts.join(' · ') };
}
