import {
  commands,
  type Disposable,
  type InlineCompletionItem,
  InlineCompletionTriggerKind,
  type Position,
  type TextDocument,
  type TextDocumentChangeEvent,
  TextDocumentChangeReason,
  type TextEditor,
  window,
  workspace,
} from 'vscode';
import type { Middleware } from 'vscode-languageclient/node';
import type { SuggestionsReadyParams } from '../protocol/completion.ts';
import {
  type Caret,
  endOfChange,
  isSentencePoint,
  type Offer,
  restsOf,
} from './ghostTextPolicy.ts';

type ProvideItems = NonNullable<Middleware['provideInlineCompletionItems']>;

/**
 * Inline completion: when to ask the server. What is offered and after which pause is the server's
 * decision; here a request is only not sent where none can be wanted, so that typing costs nothing.
 *
 * Items carry no command: the editor asks again by itself after an acceptance, but not after one
 * that ran a command (microsoft/vscode-extension-samples#894). Acceptance is read from the text.
 */
export class GhostText implements Disposable {
  readonly #subscriptions: Disposable[];
  #offer: Offer | undefined;
  /** The document whose last change was an undo or redo: what was taken back is not offered again. */
  #undoneIn: string | undefined;
  /** Where the writer's last change ended. */
  #written: { uri: string; line: number; character: number } | undefined;
  /** Requests under way that are ours, though the editor calls them the writer's. */
  #repeats = 0;
  #isReady = false;

  constructor() {
    this.#subscriptions = [
      workspace.onDidChangeTextDocument((event) => this.#noticeChange(event)),
      commands.registerCommand('thoughtline.triggerCompletion', () =>
        commands.executeCommand('editor.action.inlineSuggest.trigger'),
      ),
    ];
  }

  /** Stands between the editor and the server. A request that is no longer wanted is cancelled. */
  readonly provideItems: ProvideItems = async (document, position, context, token, next) => {
    // The suggest widget has the word: an item that does not begin with its selection is not shown.
    if (context.selectedCompletionInfo !== undefined) return [];

    const isInvoked =
      context.triggerKind === InlineCompletionTriggerKind.Invoke && this.#repeats === 0;
    if (!isInvoked && !this.#isWanted(document, position)) return [];

    const { Invoke, Automatic } = InlineCompletionTriggerKind;
    const triggerKind = isInvoked ? Invoke : Automatic;
    const result = await next(document, position, { ...context, triggerKind }, token);
    if (token.isCancellationRequested) return [];
    const items = Array.isArray(result) ? result : (result?.items ?? []);
    this.#offer = offerOf(document, position, items);
    return items;
  };

  /** Returns what is left of the sentences that are offered at a place, in the order offered. */
  restsAt(document: TextDocument, position: Position): string[] {
    return this.#offer === undefined ? [] : restsOf(this.#offer, caretAt(document, position));
  }

  /**
   * Returns what is left of the suggestion that begins with a sentence as the model wrote it; it was
   * fitted to its place since. undefined where it is not offered.
   */
  restOf(sentence: string, document: TextDocument, position: Position): string | undefined {
    const offer = this.#offer;
    const beginning = sentence.toLowerCase();
    const texts = offer?.texts.filter((text) => text.trim().toLowerCase().startsWith(beginning));
    return offer && texts && restsOf({ ...offer, texts }, caretAt(document, position))[0];
  }

  /** More sentences are there than those that were answered. */
  readonly showReady = ({ uri, offset }: SuggestionsReadyParams): void => {
    const editor = window.activeTextEditor;
    if (editor === undefined || editor.document.uri.toString() !== uri) return;
    if (editor.document.offsetAt(editor.selection.active) === offset) void this.#askAgain(editor);
  };

  /** What was written while no server could answer is not left without an answer. */
  noticeReadiness(isReady: boolean): void {
    const wasReady = this.#isReady;
    this.#isReady = isReady;
    const editor = window.activeTextEditor;
    if (wasReady || !isReady || editor === undefined) return;
    const { line, character } = editor.selection.active;
    const written = this.#written;
    const isThere = written?.line === line && written.character === character;
    if (isThere && written.uri === editor.document.uri.toString()) void this.#askAgain(editor);
  }

  /** Asks for other sentences in place of those that are shown, because the writer wants others. */
  async renew(): Promise<void> {
    // The editor does not ask twice at one place in one version of a text, unless nothing is shown.
    await commands.executeCommand('editor.action.inlineSuggest.hide');
    await commands.executeCommand('editor.action.inlineSuggest.trigger');
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  /** Asks as the editor does by itself, not as the writer does by a key. What is shown stays first. */
  async #askAgain(editor: TextEditor): Promise<void> {
    if (!this.#isWanted(editor.document, editor.selection.active)) return;
    this.#repeats += 1;
    try {
      await commands.executeCommand('editor.action.inlineSuggest.trigger');
    } finally {
      this.#repeats -= 1;
    }
  }

  /** Tells whether a sentence may be wanted that nobody asked for; the cheapest reasons come first. */
  #isWanted(document: TextDocument, position: Position): boolean {
    const { line, character } = position;
    const text = (number: number) => (number < 0 ? undefined : document.lineAt(number).text);
    return (
      this.#undoneIn !== document.uri.toString() &&
      (isSentencePoint(text(line) ?? '', character, (distance) => text(line - distance)) ||
        this.restsAt(document, position).length > 0) &&
      hasSingleCaret(document)
    );
  }

  #noticeChange({ document, contentChanges, reason }: TextDocumentChangeEvent): void {
    const [first] = contentChanges;
    if (first === undefined) return;
    const uri = document.uri.toString();
    const isUndo =
      reason === TextDocumentChangeReason.Undo || reason === TextDocumentChangeReason.Redo;
    if (isUndo) this.#undoneIn = uri;
    else if (this.#undoneIn === uri) this.#undoneIn = undefined;
    this.#written = { uri, ...endOfChange(first.range.start, first.text) };
  }
}

function caretAt(document: TextDocument, { line, character }: Position): Caret {
  const before = document.lineAt(line).text.slice(0, character);
  return { uri: document.uri.toString(), line, before };
}

/** Reads what the server offers: whole sentences, from where they were offered first. */
function offerOf(
  document: TextDocument,
  position: Position,
  items: readonly InlineCompletionItem[],
): Offer | undefined {
  const texts = items.flatMap(({ insertText }) =>
    typeof insertText === 'string' ? [insertText] : [],
  );
  if (texts.length === 0) return undefined;
  return { caret: caretAt(document, items[0]?.range?.start ?? position), texts };
}

function hasSingleCaret(document: TextDocument): boolean {
  const editor = window.visibleTextEditors.find((visible) => visible.document === document);
  return editor === undefined || (editor.selections.length === 1 && editor.selection.isEmpty);
}
