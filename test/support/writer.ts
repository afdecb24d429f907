import {
  CancellationToken,
  InlineCompletionTriggerKind,
} from 'vscode-languageserver-protocol/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import type { InlineItem, ServerProcess } from './serverProcess.ts';

/** One document in a bare LSP client, and the caret of who writes in it. */
export class Writer {
  readonly uri: string;
  readonly #server: ServerProcess;
  readonly #document: TextDocument;
  /** UTF-16 units. */
  #caret: number;

  private constructor(server: ServerProcess, document: TextDocument, caret: number) {
    this.#server = server;
    this.#document = document;
    this.#caret = caret;
    this.uri = document.uri;
  }

  /** Opens a document. The caret is where its text has a `|`, else at its end. */
  static async open(
    server: ServerProcess,
    uri: string,
    marked: string,
    languageId = 'markdown',
  ): Promise<Writer> {
    const at = marked.indexOf('|');
    const text = at < 0 ? marked : marked.slice(0, at) + marked.slice(at + 1);
    await server.open(uri, languageId, text);
    const document = TextDocument.create(uri, languageId, 1, text);
    return new Writer(server, document, at < 0 ? text.length : at);
  }

  get text(): string {
    return this.#document.getText();
  }

  get caret(): number {
    return this.#caret;
  }

  set caret(offset: number) {
    this.#caret = offset;
  }

  get position() {
    return this.#document.positionAt(this.#caret);
  }

  /** Inserts a text at the caret, in one piece. */
  type(text: string): Promise<void> {
    return this.#replace(this.#caret, this.#caret, text);
  }

  /** Inserts a text key by key. */
  async typeKeys(text: string): Promise<void> {
    for (const key of text) await this.type(key);
  }

  /** Removes so many UTF-16 units before the caret. */
  erase(count = 1): Promise<void> {
    return this.#replace(this.#caret - count, this.#caret, '');
  }

  /** Puts an offered sentence into the text, as an editor does. */
  accept({ insertText, range }: InlineItem): Promise<void> {
    const start = this.#document.offsetAt(range.start);
    return this.#replace(start, this.#document.offsetAt(range.end), insertText);
  }

  /** Asks as an editor does by itself. */
  pause(token?: CancellationToken): Promise<InlineItem[]> {
    return this.#ask(InlineCompletionTriggerKind.Automatic, token);
  }

  /** Asks as a writer does by a key. */
  invoke(token?: CancellationToken): Promise<InlineItem[]> {
    return this.#ask(InlineCompletionTriggerKind.Invoked, token);
  }

  /** Runs a command of the server on the document. */
  run<Result>(command: string, params: object = {}): Promise<Result> {
    return this.#server.execute(command, { uri: this.uri, ...params });
  }

  async #ask(
    triggerKind: InlineCompletionTriggerKind,
    token = CancellationToken.None,
  ): Promise<InlineItem[]> {
    const items = await this.#server.connection.sendRequest<InlineItem[] | null>(
      'textDocument/inlineCompletion',
      { textDocument: { uri: this.uri }, position: this.position, context: { triggerKind } },
      token,
    );
    return items ?? [];
  }

  async #replace(start: number, end: number, text: string): Promise<void> {
    const change = {
      range: {
        start: this.#document.positionAt(start),
        end: this.#document.positionAt(end),
      },
      text,
    };
    const version = this.#document.version + 1;
    TextDocument.update(this.#document, [change], version);
    this.#caret = start + text.length;
    await this.#server.connection.sendNotification('textDocument/didChange', {
      textDocument: { uri: this.uri, version },
      contentChanges: [change],
    });
  }
}
