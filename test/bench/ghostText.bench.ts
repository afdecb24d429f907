import { CancellationTokenSource } from 'vscode-languageserver-protocol/node';
import {
  type SuggestionFacts,
  serverCommands,
  suggestionsReady,
} from '../../protocol/completion.ts';
import { findNeighbours, nextSentences } from '../../protocol/server.ts';
import type { InlineItem, ServerProcess } from '../support/serverProcess.ts';
import { Writer } from '../support/writer.ts';
import { withWatchedServer } from './blocks.ts';
import { readSentences } from './builtIn.ts';
import { percentiles } from './figures.ts';
import { replay } from './replay.ts';

/*
 * Ghost text over a real connection, as a bare client sees it: from a key to the answer where that is
 * prepared, a new sentence, how soon the model is free again, and a session of typing in real time.
 */

const warmUp = 3;
const rounds = 30;
const candidates = 3;
/** Reading a sentence takes longer; meanwhile the next one is prepared. */
const readingMs = 1200;
const everything = { completion: { minConfidence: 0, candidates } };
/** Some 20 sentences, so that contexts are as long as they get. */
const context = readSentences(20).join(' ');
const fresh = readSentences(20 + 10 * (warmUp + rounds)).slice(20);

let documents = 0;

void main();

async function main(): Promise<void> {
  await withWatchedServer('ghost text', everything, async (server) => {
    await measurePrepared(server);
    await measureNew(server);
    await measureIdle(server);
  });
  await withWatchedServer('session', {}, replay);
}

function nextSentence(): string {
  const sentence = fresh.shift();
  if (sentence === undefined) throw new Error('bench: expected a sentence that is left');
  return sentence;
}

/** Opens a document and has all of it read. */
async function open(server: ServerProcess): Promise<Writer> {
  const text = `${nextSentence()} ${context}`;
  const writer = await Writer.open(server, `file:///bench-${++documents}.md`, text);
  await server.connection.sendRequest(findNeighbours, { uri: writer.uri, offset: 0, count: 1 });
  return writer;
}

async function timed<T>(action: () => Promise<T>): Promise<{ ms: number; result: T }> {
  const start = performance.now();
  const result = await action();
  return { ms: performance.now() - start, result };
}

function rest(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Key → answer where the sentence is there already. */
async function measurePrepared(server: ServerProcess): Promise<void> {
  const times = { typing: [], accepted: [], again: [], undone: [] } as Record<string, number[]>;
  for (let round = 0; round < warmUp + rounds; round++) {
    const writer = await open(server);
    const note = async (name: string, edit: () => Promise<void>, ask: () => Promise<unknown>) => {
      const { ms } = await timed(async () => {
        await edit();
        await ask();
      });
      if (round >= warmUp) times[name]?.push(ms);
    };
    await writer.invoke();
    await rest(readingMs);
    const [first] = await writer.invoke();
    if (first === undefined) continue;
    const nothing = () => Promise.resolve();
    await note('again', nothing, () => writer.invoke());
    for (const key of first.insertText.slice(0, 5)) {
      await note(
        'typing',
        () => writer.type(key),
        () => writer.pause(),
      );
    }
    await writer.erase(5);
    await note(
      'accepted',
      () => writer.accept(first),
      () => writer.pause(),
    );
    await note(
      'undone',
      () => writer.erase(first.insertText.length),
      () => writer.invoke(),
    );
  }
  percentiles('typing on: key → answer', times['typing'] ?? [], 'ms');
  percentiles('accepted → next sentence', times['accepted'] ?? [], 'ms');
  percentiles('asked again', times['again'] ?? [], 'ms');
  percentiles('taken back, asked again', times['undone'] ?? [], 'ms');
  percentiles('prepared, all of them', Object.values(times).flat(), 'ms');
}

/** Full stop, or a caret elsewhere → first candidate, and all of them. */
async function measureNew(server: ServerProcess): Promise<void> {
  for (const [name, act] of [
    ['new sentence typed', (writer: Writer) => writer.type(` ${nextSentence()}`)],
    ['asked elsewhere', async () => undefined],
  ] as const) {
    const firstMs: number[] = [];
    const modelMs: number[] = [];
    const allMs: number[] = [];
    for (let round = 0; round < warmUp + rounds; round++) {
      const writer = await open(server);
      await rest(100);
      const told = new Promise<void>((resolve) => {
        const subscription = server.connection.onNotification(suggestionsReady, ({ uri }) => {
          if (uri !== writer.uri) return;
          subscription.dispose();
          resolve();
        });
      });
      const start = performance.now();
      await act(writer);
      const first: InlineItem[] = await writer.invoke();
      const firstAt = performance.now();
      const facts = await writer.run<SuggestionFacts>(serverCommands.explain);
      if (first.length < candidates) {
        await Promise.race([told, rest(5000)]);
        await writer.invoke();
      }
      if (round < warmUp) continue;
      firstMs.push(firstAt - start);
      modelMs.push(facts.latencyMs);
      allMs.push(performance.now() - start);
    }
    percentiles(`${name}: first candidate`, firstMs, 'ms');
    percentiles(`${name}: first candidate, of it predicting and writing`, modelMs, 'ms');
    percentiles(`${name}: all candidates`, allMs, 'ms');
  }
}

/** Gone on, or cancelled → a sentence of another document is read. */
async function measureIdle(server: ServerProcess): Promise<void> {
  /** Reads a document of one sentence that was never read. */
  const read = async () => {
    const writer = await Writer.open(server, `file:///idle-${++documents}.md`, nextSentence());
    await server.connection.sendRequest(findNeighbours, { uri: writer.uri, offset: 0, count: 1 });
  };
  const idle: number[] = [];
  const edited: number[] = [];
  const cancelled: number[] = [];
  for (let round = 0; round < warmUp + rounds; round++) {
    const writer = await open(server);
    await rest(100);
    const quiet = await timed(read);

    await writer.type(` ${nextSentence()}`);
    await rest(10 + (round % 10) * 10);
    const gone = await timed(async () => {
      await writer.type(' Then');
      await read();
    });

    const cancel = new CancellationTokenSource();
    const { uri } = writer;
    const params = { uri, offset: writer.text.length - ' Then'.length, count: candidates };
    const request = server.connection.sendRequest(nextSentences, params, cancel.token);
    const ended = request.catch(() => undefined);
    await rest(10 + (round % 10) * 10);
    const stopped = await timed(async () => {
      cancel.cancel();
      await read();
    });
    await ended;
    if (round < warmUp) continue;
    idle.push(quiet.ms);
    edited.push(gone.ms);
    cancelled.push(stopped.ms);
  }
  percentiles('idle → sentence read', idle, 'ms');
  percentiles('writer goes on → sentence read', edited, 'ms');
  percentiles('cancelled → sentence read', cancelled, 'ms');
}
