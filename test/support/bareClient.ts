import { type CompletionState, completionState } from '../../protocol/completion.ts';
import { type InlineItem, ServerProcess } from './serverProcess.ts';
import { Writer } from './writer.ts';

/** Settings of a writer for whom every pause is long enough and every sentence good enough. */
export const restless = { completion: { pauseMs: 0, minConfidence: 0 } };

export function textsOf(items: readonly InlineItem[]): string[] {
  return items.map(({ insertText }) => insertText);
}

/** A bare LSP client: it opens documents, sends keys, and remembers what it was told. */
export class BareClient {
  readonly server: ServerProcess;
  /** What was told of suggestions, in order. */
  readonly states: CompletionState[] = [];
  #documents = 0;

  private constructor(server: ServerProcess) {
    this.server = server;
    server.connection.onNotification(completionState, (state) => {
      this.states.push(state);
    });
  }

  static async start(settings: unknown): Promise<BareClient> {
    return new BareClient(await ServerProcess.start(settings));
  }

  /** Opens a document; see `Writer.open`. */
  open(marked: string, languageId?: string): Promise<Writer> {
    this.#documents += 1;
    return Writer.open(this.server, `file:///ghost-${this.#documents}.md`, marked, languageId);
  }

  /** Opens a document and types in it. */
  async openAndType(before: string, typed: string, after = ''): Promise<Writer> {
    const writer = await this.open(`${before}|${after}`);
    await writer.typeKeys(typed);
    return writer;
  }
}
