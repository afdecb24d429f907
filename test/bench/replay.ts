import { CancellationTokenSource } from 'vscode-languageserver-protocol/node';
import { type Statistics, serverCommands, suggestionsReady } from '../../protocol/completion.ts';
import { isSentencePoint } from '../../src/ghostTextPolicy.ts';
import type { InlineItem, ServerProcess } from '../support/serverProcess.ts';
import { Writer } from '../support/writer.ts';
import { figure, percentiles } from './figures.ts';
import { type Act, perform, recordedSession } from './session.ts';

/**
 * Replays a session in real time against the server, asking as an editor does: after every key
 * where a sentence may be wanted, the latest request only, and again when more is there.
 */
export async function replay(server: ServerProcess): Promise<void> {
  const session = recordedSession();
  const writer = await Writer.open(server, 'file:///session.md', session.head);
  const client = new Client(server, writer);
  await server.execute(serverCommands.clearStatistics);
  let expected = session.head;
  const lateMs = await perform(session, async (act) => {
    expected = await client.act(act, expected);
  });
  await client.settled();
  figure('session: keys', session.acts.length, '');
  figure('session: duration', (session.acts.at(-1)?.at ?? 0) / 1000, 's');
  figure('session: text as expected', Number(writer.text === expected), '');
  percentiles('session: client late with a key', lateMs, 'ms');
  client.report();
  const counts = await server.execute<Statistics>(serverCommands.statistics);
  for (const [name, count] of Object.entries(counts)) {
    if (name !== 'since') figure(`session: ${name}`, count, '');
  }
  figure('session: ready of shown', counts.ready / counts.shown, '');
}

/** What an editor does with ghost text. */
class Client {
  readonly #writer: Writer;
  #shown: readonly InlineItem[] = [];
  #accepted: string | undefined;
  #cancel = new CancellationTokenSource();
  #lastKeyAt = 0;
  #underway: Promise<void> = Promise.resolve();
  readonly #restMs: number[] = [];
  readonly #keptMs: number[] = [];
  readonly #preparedMs: number[] = [];
  #counts = { asked: 0, empty: 0, cancelled: 0, late: 0 };

  constructor(server: ServerProcess, writer: Writer) {
    this.#writer = writer;
    server.connection.onNotification(suggestionsReady, ({ uri, offset }) => {
      if (uri === writer.uri && offset === writer.caret) this.#ask();
    });
  }

  /** @returns the text that the document should have now */
  async act(act: Act, expected: string): Promise<string> {
    const [first] = this.#shown;
    let text = expected;
    if (act.kind === 'key') {
      await this.#writer.type(act.text);
      text += act.text;
    } else if (act.kind === 'erase') {
      await this.#writer.erase();
      text = text.slice(0, -1);
    } else if (act.kind === 'takeBack') {
      if (this.#accepted === undefined) return expected;
      await this.#writer.erase(this.#accepted.length);
      text = text.slice(0, -this.#accepted.length);
    } else if (first !== undefined) {
      const { length } = this.#writer.text;
      await this.#writer.accept(first);
      this.#accepted = this.#writer.text.slice(length);
      text += this.#accepted;
    } else {
      this.#accepted = undefined;
      return expected;
    }
    this.#lastKeyAt = performance.now();
    this.#ask(act.kind === 'accept');
    return text;
  }

  async settled(): Promise<void> {
    await this.#underway;
  }

  report(): void {
    for (const [name, count] of Object.entries(this.#counts)) figure(`session: ${name}`, count, '');
    percentiles('session: last key → new sentence', this.#restMs, 'ms');
    percentiles('session: key → sentence that is being typed', this.#keptMs, 'ms');
    percentiles('session: acceptance → next sentence', this.#preparedMs, 'ms');
  }

  #ask(isAccepted = false): void {
    this.#cancel.cancel();
    this.#cancel = new CancellationTokenSource();
    const wasShown = this.#shown.length > 0;
    this.#shown = [];
    const { text, caret, position } = this.#writer;
    const rows = text.split('\n');
    const row = (number: number) => rows[number];
    const line = row(position.line) ?? '';
    const isWanted =
      wasShown ||
      isSentencePoint(line, position.character, (distance) => row(position.line - distance));
    if (!isWanted) return;
    this.#counts.asked += 1;
    const asked = performance.now();
    const { token } = this.#cancel;
    this.#underway = this.#writer.pause(token).then(
      (items) => {
        const now = performance.now();
        if (items.length === 0) this.#counts.empty += 1;
        else if (token.isCancellationRequested || caret !== this.#writer.caret) {
          this.#counts.late += 1;
        } else {
          this.#shown = items;
          if (isAccepted) this.#preparedMs.push(now - asked);
          else if (wasShown) this.#keptMs.push(now - asked);
          else this.#restMs.push(now - this.#lastKeyAt);
        }
      },
      () => {
        this.#counts.cancelled += 1;
      },
    );
  }
}
