import {
  type CodeAction,
  commands,
  Disposable,
  l10n,
  ProgressLocation,
  type QuickPickItem,
  Range,
  type TextDocument,
  Uri,
  WorkspaceEdit,
  window,
  workspace,
} from 'vscode';
import type { Middleware } from 'vscode-languageclient/node';
import {
  type RewriteKind,
  type RewriteParams,
  type RewriteResult,
  serverCommands,
} from '../protocol/completion.ts';
import type { ServerClient } from './client.ts';
import { proseEditor } from './proseEditor.ts';
import { RewritingPreview } from './rewritingPreview.ts';

/** Kinds of the code actions that the server gives, before the kind of rewriting. */
const actionKinds = 'refactor.rewrite.thoughtline.';

/**
 * Lets code actions do what the commands do: the writer sees what there is and chooses, instead of
 * the best being taken unseen.
 */
export const rewritingMiddleware: Middleware = {
  provideCodeActions: async (document, range, context, token, next) => {
    const actions = await next(document, range, context, token);
    for (const action of actions ?? []) {
      const command = commandOf(action);
      if (command === undefined || !('kind' in action)) continue;
      const { title } = action;
      action.command = {
        command,
        title,
        arguments: [document.uri, new Range(range.start, range.end)],
      };
    }
    return actions;
  },
  // Their edit is the command's to make.
  resolveCodeAction: async (action, token, next) =>
    commandOf(action) === undefined ? next(action, token) : action,
};

function commandOf(action: object): string | undefined {
  const kind = 'kind' in action ? (action as CodeAction).kind?.value : undefined;
  return kind?.startsWith(actionKinds)
    ? `thoughtline.${kind.slice(actionKinds.length)}`
    : undefined;
}

/** The commands that make other sentences of those at the caret, each with its preview. */
export function registerRewriting(client: ServerClient): Disposable {
  const preview = new RewritingPreview();
  const rewrite = (kind: RewriteKind) => (uri: unknown, range: unknown) =>
    offerRewrites(client, preview, kind, uri, range);
  return Disposable.from(
    preview,
    commands.registerCommand('thoughtline.rephrase', rewrite('rephrase')),
    commands.registerCommand('thoughtline.condense', rewrite('condense')),
    commands.registerCommand('thoughtline.bridge', rewrite('bridge')),
    commands.registerCommand('thoughtline.expand', rewrite('expand')),
  );
}

/** @param uri, range  where a code action was chosen; of menus and keys anything or nothing */
async function offerRewrites(
  client: ServerClient,
  preview: RewritingPreview,
  kind: RewriteKind,
  uri: unknown,
  range: unknown,
): Promise<void> {
  const place = await placeOf(uri, range);
  if (place === undefined) return;
  const { document } = place;
  const { version } = document;
  const result = await ask(client, { kind, uri: document.uri.toString(), range: place.range });
  if (result === 'cancelled') return;
  if (isStale(document, version)) return tellStale();
  if (result === undefined) return;
  if (result.alternatives.length === 0) {
    void window.showInformationMessage(nothingWords(kind));
    return;
  }
  const { start, end } = result.range;
  const replaced = new Range(start.line, start.character, end.line, end.character);
  const text = await pickAlternative(document, replaced, result, preview, titleOf(kind));
  await preview.close();
  if (text === undefined) return;
  if (isStale(document, version)) return tellStale();
  const edit = new WorkspaceEdit();
  edit.replace(document.uri, replaced, text);
  await workspace.applyEdit(edit);
}

async function placeOf(uri: unknown, range: unknown) {
  if (uri instanceof Uri && range instanceof Range) {
    return { document: await workspace.openTextDocument(uri), range };
  }
  const editor = proseEditor();
  return editor && { document: editor.document, range: editor.selection };
}

/** Asks the server; undefined when it failed, and the writer was told. */
async function ask(
  client: ServerClient,
  { kind, uri, range: { start, end } }: RewriteParams,
): Promise<RewriteResult | undefined | 'cancelled'> {
  const plain = ({ line, character }: RewriteParams['range']['start']) => ({ line, character });
  const params: RewriteParams = { kind, uri, range: { start: plain(start), end: plain(end) } };
  const options = {
    location: ProgressLocation.Notification,
    title: `Thoughtline: ${titleOf(kind)}`,
    cancellable: true,
  };
  return window.withProgress(options, async (_progress, cancellation) => {
    const result = await client.run<RewriteResult>(serverCommands.rewrite, params, {
      cancellation,
    });
    return cancellation.isCancellationRequested ? 'cancelled' : result;
  });
}

interface AlternativeItem extends QuickPickItem {
  text: string;
}

/** Lets the writer choose, and shows beside the text what each would make of it. */
function pickAlternative(
  document: TextDocument,
  range: Range,
  { alternatives }: RewriteResult,
  preview: RewritingPreview,
  title: string,
): Promise<string | undefined> {
  const pick = window.createQuickPick<AlternativeItem>();
  pick.title = title;
  pick.placeholder = l10n.t('Enter changes the text, Escape leaves it as it is');
  pick.ignoreFocusOut = true;
  pick.items = alternatives.map(({ text, agreement }) => ({
    label: text.replace(/\s+/g, ' ').trim(),
    description: l10n.t('agreement {0}', agreement.toFixed(2)),
    text,
  }));
  return new Promise((resolve) => {
    pick.onDidChangeActive(([item]) => {
      if (item !== undefined) preview.show(document, range, item.text, title);
    });
    pick.onDidAccept(() => {
      resolve(pick.activeItems[0]?.text);
      pick.hide();
    });
    pick.onDidHide(() => {
      resolve(undefined);
      pick.dispose();
    });
    pick.show();
  });
}

function isStale(document: TextDocument, version: number): boolean {
  return document.isClosed || document.version !== version;
}

function tellStale(): void {
  const message = l10n.t('The text has changed meanwhile; nothing was done to it.');
  void window.showWarningMessage(message);
}

function titleOf(kind: RewriteKind): string {
  switch (kind) {
    case 'bridge':
      return l10n.t('The sentence between');
    case 'expand':
      return l10n.t('Sentences for this heading');
    case 'condense':
      return l10n.t('This paragraph in one sentence');
    case 'rephrase':
      return l10n.t('In other words');
  }
}

function nothingWords(kind: RewriteKind): string {
  switch (kind) {
    case 'bridge':
      return l10n.t(
        'There is no sentence to offer here. Put the caret between two sentences of one paragraph, or between two paragraphs.',
      );
    case 'expand':
      return l10n.t(
        'There are no sentences to offer here. Put the caret on a heading or list item.',
      );
    case 'condense':
      return l10n.t(
        'There is no one sentence to offer here. Put the caret in a paragraph of several sentences.',
      );
    case 'rephrase':
      return l10n.t(
        'There are no other words to offer that say the same. Short sentences without markup work best.',
      );
  }
}
