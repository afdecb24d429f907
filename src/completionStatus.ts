import { commands, type Disposable, type Event, EventEmitter, type Uri, window } from 'vscode';
import {
  type CompletionState,
  completionState,
  type DocumentState,
} from '../protocol/completion.ts';
import type { ServerClient } from './client.ts';

/** A server that has just started knows of nothing. */
const nothingSet: CompletionState = {
  snoozedUntil: null,
  isOnBattery: false,
  reduced: null,
  documents: [],
};

/** What the writer has set about suggestions for now, as the server tells it. */
export class CompletionStatus implements Disposable {
  readonly #changed = new EventEmitter<void>();
  readonly #subscriptions: Disposable[];
  #state = nothingSet;

  constructor(client: ServerClient) {
    client.onNotification(completionState, (state) => this.#set(state));
    this.#subscriptions = [
      this.#changed,
      client.onDidChangeHealth(({ state }) => {
        if (state === 'starting' || state === 'stopped') this.#set(nothingSet);
      }),
      window.onDidChangeActiveTextEditor(() => this.#setContext()),
    ];
  }

  get onDidChange(): Event<void> {
    return this.#changed.event;
  }

  /** Milliseconds since 1970; null while nothing is snoozed. */
  get snoozedUntil(): number | null {
    const { snoozedUntil } = this.#state;
    return snoozedUntil !== null && snoozedUntil > Date.now() ? snoozedUntil : null;
  }

  get reduced(): CompletionState['reduced'] {
    return this.#state.reduced;
  }

  /** What is set or said for one document. */
  of(uri: Uri): Omit<DocumentState, 'uri'> {
    const found = this.#state.documents.find((document) => document.uri === uri.toString());
    return found ?? { steering: null, target: null, quiet: null };
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  #set(state: CompletionState): void {
    this.#state = state;
    this.#setContext();
    this.#changed.fire();
  }

  /** For keys and menus. */
  #setContext(): void {
    const uri = window.activeTextEditor?.document.uri;
    const isSteered = uri !== undefined && this.of(uri).steering !== null;
    void commands.executeCommand('setContext', 'thoughtline.isSteered', isSteered);
    const isSnoozed = this.snoozedUntil !== null;
    void commands.executeCommand('setContext', 'thoughtline.isSnoozed', isSnoozed);
  }
}
