import {
  type CancellationToken,
  commands,
  type Disposable,
  InlineCompletionItem,
  InlineCompletionTriggerKind,
  type Position,
  Range,
  type TextDocument,
  type TextDocumentChangeEvent,
  TextDocumentChangeReason,
  window,
  workspace,
} from 'vscode';
import type { Middleware } from 'vscode-languageclient/node';
import { isLanguageEnabled, settingsSection } from '../protocol/settings.ts';
import {
  type Caret,
  continueOffer,
  isOutdatedBy,
  isSentencePoint,
  type Offer,
} from './ghostTextPolicy.ts';
import { readSettings } from './settings.ts';

type ProvideItems = NonNullable<Middleware['provideInlineCompletionItems']>;

/**
 * Inline completion: when to ask the server, what to keep, what to show.
 *
 * Items carry no command: the editor asks again by itself after an acceptance, but not after one
 * that ran a command (microsoft/vscode-extension-samples#894). Acceptance is read from the text.
 */
export class GhostText implements Disposable {
  readonly #subscriptions: Disposable[];
  #offer: Offer | undefined;
  /** The document whose last change was an undo or redo: what was taken back is not offered again. */
  #undoneIn: string | undefined;

  constructor() {
    this.#subscriptions = [
      workspace.onDidChangeTextDocument((event) => this.#noticeChange(event)),
      workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration(settingsSection)) this.#offer = undefined;
      }),
      commands.registerCommand('thoughtline.triggerCompletion', () =>
        commands.executeCommand('editor.action.inlineSuggest.trigger'),
      ),
    ];
  }

  /** Stands between the editor and the server. A request that is no longer wanted is cancelled. */
  readonly provideItems: ProvideItems = async (document, position, context, token, next) => {
    // The suggest widget has the word: an item that does not begin with its selection is not shown.
    if (context.selectedCompletionInfo !== undefined) return [];

    const caret = caretAt(document, position);
    const kept = this.#offer && continueOffer(this.#offer, caret);
    if (this.#offer && kept && kept.texts.length > 0) {
      return itemsAt(this.#offer.caret, position, kept.texts);
    }

    if (context.triggerKind !== InlineCompletionTriggerKind.Invoke) {
      if (!this.#isWanted(document, position, caret)) return [];
      const { completion } = readSettings(document);
      if (!kept?.isAccepted) await pause(completion.pauseMs ?? 400, token);
      if (token.isCancellationRequested) return [];
    }

    const texts = textsOf(await next(document, position, context, token));
    if (token.isCancellationRequested || texts.length === 0) return [];
    this.#offer = { caret, texts };
    return itemsAt(caret, position, texts);
  };

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  /** Tells whether a sentence may be offered that nobody asked for; the cheapest reasons come first. */
  #isWanted(document: TextDocument, { line, character }: Position, { uri }: Caret): boolean {
    const text = (number: number) => (number < 0 ? undefined : document.lineAt(number).text);
    return (
      this.#undoneIn !== uri &&
      isSentencePoint(text(line) ?? '', character, (distance) => text(line - distance)) &&
      hasSingleCaret(document) &&
      isLanguageEnabled(readSettings(document), document.languageId)
    );
  }

  #noticeChange({ document, contentChanges, reason }: TextDocumentChangeEvent): void {
    if (contentChanges.length === 0) return;
    const uri = document.uri.toString();
    const isUndo =
      reason === TextDocumentChangeReason.Undo || reason === TextDocumentChangeReason.Redo;
    if (isUndo) this.#undoneIn = uri;
    else if (this.#undoneIn === uri) this.#undoneIn = undefined;

    const offer = this.#offer;
    if (offer?.caret.uri !== uri) return;
    if (isUndo || contentChanges.some(({ range }) => isOutdatedBy(offer, range.start))) {
      this.#offer = undefined;
    }
  }
}

function caretAt(document: TextDocument, { line, character }: Position): Caret {
  const before = document.lineAt(line).text.slice(0, character);
  return { uri: document.uri.toString(), line, before };
}

/** Makes items that replace what has been typed since the offer, which the editor then shows as the rest. */
function itemsAt({ line, before }: Caret, position: Position, texts: readonly string[]) {
  const range = new Range(line, before.length, position.line, position.character);
  return texts.map((text) => new InlineCompletionItem(text, range));
}

/** Takes the sentences out of the server's answer, whose items all begin at the caret. */
function textsOf(result: Awaited<ReturnType<ProvideItems>>): string[] {
  const items = Array.isArray(result) ? result : (result?.items ?? []);
  return items.flatMap(({ insertText }) => (typeof insertText === 'string' ? [insertText] : []));
}

function hasSingleCaret(document: TextDocument): boolean {
  const editor = window.visibleTextEditors.find((visible) => visible.document === document);
  return editor === undefined || (editor.selections.length === 1 && editor.selection.isEmpty);
}

/** Waits while the writer rests; resolves at once when the request is cancelled. */
function pause(durationMs: number, token: CancellationToken): Promise<void> {
  return new Promise((resolve) => {
    if (durationMs === 0 || token.isCancellationRequested) return resolve();
    const finish = () => {
      clearTimeout(timer);
      subscription.dispose();
      resolve();
    };
    const timer = setTimeout(finish, durationMs);
    const subscription = token.onCancellationRequested(finish);
  });
}
