import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  CancellationTokenSource,
  ErrorCodes,
  LSPErrorCodes,
  ResponseError,
} from 'vscode-languageserver-protocol/node';
import {
  type CompletionState,
  completionState,
  directionNames,
  type Statistics,
  type SteeringChoices,
  type SuggestionFacts,
  type SuggestionsReadyParams,
  serverCommands,
  suggestionsReady,
} from '../../protocol/completion.ts';
import { type InlineItem, ServerProcess } from '../support/serverProcess.ts';
import { Writer } from '../support/writer.ts';

/*
 * Ghost text as any editor has it: a bare LSP client, the built server, and nothing but messages.
 * Where an order shows something, the pause is set to nothing or to more than a test takes.
 */

const paragraph = 'The old man lived by the sea. Every morning he went out to fish.';
const next = ' His wife was waiting for him on the beach.';
const restless = { completion: { pauseMs: 0, minConfidence: 0 } };
const restful = { completion: { pauseMs: 5000, minConfidence: 0 } };

let server: ServerProcess;
let documents = 0;
const states: CompletionState[] = [];
const ready: SuggestionsReadyParams[] = [];
const listeners = new Set<() => void>();

before(async () => {
  server = await ServerProcess.start(restless);
  server.connection.onNotification(completionState, (state) => hear(states, state));
  server.connection.onNotification(suggestionsReady, (params) => hear(ready, params));
});

after(async () => {
  assert.equal(await server.stop(), 0);
});

function hear<T>(list: T[], item: T): void {
  list.push(item);
  for (const listener of listeners) listener();
}

/** Waits until something has been told. */
function heard<T>(list: readonly T[], fits: (item: T) => boolean): Promise<T> {
  return new Promise((resolve) => {
    const look = () => {
      const found = list.find(fits);
      if (found === undefined) return;
      listeners.delete(look);
      resolve(found);
    };
    listeners.add(look);
    look();
  });
}

function open(marked: string, languageId?: string): Promise<Writer> {
  return Writer.open(server, `file:///ghost-${++documents}.md`, marked, languageId);
}

/** Opens a document, and types what the text before it asks to go on. */
async function openAndType(before: string, typed = next, after = ''): Promise<Writer> {
  const writer = await open(`${before}|${after}`);
  await writer.typeKeys(typed);
  return writer;
}

function textsOf(items: readonly InlineItem[]): string[] {
  return items.map(({ insertText }) => insertText);
}

const cancelled = { code: LSPErrorCodes.RequestCancelled };

describe('asking', () => {
  test('who rests at the end of a sentence is offered what follows, without asking', async () => {
    const writer = await openAndType(paragraph);
    const items = await writer.pause();
    assert.ok(items.length > 0);
    for (const { insertText, range } of items) {
      assert.match(insertText, /^ \S/);
      assert.deepEqual(range, { start: writer.position, end: writer.position });
    }
  });

  test('the answer to an editor waits until the writer rests; a writer who asks is answered', async () => {
    await server.configure(restful);
    const writer = await openAndType(paragraph);
    let isAnswered = false;
    const waiting = writer.pause().finally(() => {
      isAnswered = true;
    });
    const refused = assert.rejects(waiting, cancelled);
    assert.equal(await writer.run<SuggestionFacts | null>(serverCommands.explain), null);
    assert.equal(isAnswered, false);
    assert.ok((await writer.invoke()).length > 0);
    // The latest request has the word; the one before it is not wanted any more.
    await refused;
    await server.configure(restless);
  });

  test('a pause is learned where none is set', async () => {
    await server.configure({ completion: { minConfidence: 0 } });
    const writer = await openAndType(paragraph);
    assert.ok((await writer.pause()).length > 0);
    await server.configure(restless);
  });

  test('a request that is cancelled while it waits says so, and the next one is answered', async () => {
    await server.configure(restful);
    const writer = await openAndType(paragraph);
    const cancel = new CancellationTokenSource();
    const refused = assert.rejects(writer.pause(cancel.token), cancelled);
    // Answered after the request before it was begun.
    await writer.run(serverCommands.explain);
    cancel.cancel();
    await refused;
    assert.ok((await writer.invoke()).length > 0);
    await server.configure(restless);
  });

  test('a request that is cancelled while the model works says so, and the next one is answered', async () => {
    const writer = await open(paragraph);
    const cancel = new CancellationTokenSource();
    const refused = assert.rejects(writer.invoke(cancel.token), cancelled);
    await writer.run(serverCommands.explain);
    cancel.cancel();
    await refused;
    assert.ok((await writer.invoke()).length > 0);
  });

  test('nothing comes by itself after a deletion; who asks is answered', async () => {
    const writer = await openAndType(paragraph, `${next}.`);
    await writer.erase();
    assert.deepEqual(await writer.pause(), []);
    assert.ok((await writer.invoke()).length > 0);
  });

  test('in manual mode a sentence comes only when it is asked for', async () => {
    await server.configure({ completion: { ...restless.completion, mode: 'manual' } });
    const writer = await openAndType(paragraph);
    assert.deepEqual(await writer.pause(), []);
    assert.ok((await writer.invoke()).length > 0);
    await server.configure(restless);
  });

  test('between two sentences one comes only when it is asked for', async () => {
    const writer = await openAndType(paragraph, next, ' They went home.');
    assert.deepEqual(await writer.pause(), []);
    assert.ok((await writer.invoke()).length > 0);
  });
});

describe('places', () => {
  /** A caret in a document, behind a full stop that is typed there. */
  for (const [name, before, after] of [
    ['a heading', `${paragraph}\n\n# The sea`, '\n'],
    ['a code block', `${paragraph}\n\n\`\`\`js\nlet x = 1`, '\n```\n'],
    ['code in a line', `${paragraph} See \`x`, '`\n'],
    ['display mathematics', `${paragraph}\n\n$$\nx = 1`, '\n$$\n'],
    ['the address of a link', `${paragraph} See [the page](https://example.org/a`, ')\n'],
    ['front matter', '---\ntitle: The sea', `\n---\n\n${paragraph}\n`],
    ['a comment', `${paragraph}\n\n<!-- To do`, ' -->\n'],
    ['the middle of a sentence', `${paragraph} The price is 1`, '5 pounds of it.\n'],
  ] as const) {
    test(`nothing comes by itself in ${name}`, async () => {
      const writer = await openAndType(before, '.', after);
      assert.deepEqual(await writer.pause(), []);
    });
  }

  test('nothing comes by itself in a language that is not prose', async () => {
    const writer = await open(`${paragraph}|`, 'python');
    await writer.typeKeys(next);
    assert.deepEqual(await writer.pause(), []);
    assert.deepEqual(await writer.invoke(), []);
  });

  for (const [name, head] of [
    ['front matter', '---\nthoughtline: off\n---\n\n'],
    ['a comment', '<!-- thoughtline: off -->\n\n'],
  ] as const) {
    test(`a document that is switched off by ${name} is quiet until it is asked`, async () => {
      const writer = await openAndType(`${head}${paragraph}`);
      assert.deepEqual(await writer.pause(), []);
      assert.ok((await writer.invoke()).length > 0);
    });
  }

  test('a file that a glob excludes is quiet until it is asked', async () => {
    await server.configure({
      completion: { ...restless.completion, excludedFiles: ['**/ghost-*.md'] },
    });
    const writer = await openAndType(paragraph);
    assert.deepEqual(await writer.pause(), []);
    assert.ok((await writer.invoke()).length > 0);
    await server.configure(restless);
  });
});

describe('what was offered', () => {
  test('stays while it is typed, from where it began', async () => {
    const writer = await openAndType(paragraph);
    const start = writer.position;
    const [first] = await writer.pause();
    assert.ok(first);
    for (const key of first.insertText.slice(0, 6)) {
      await writer.type(key);
      const kept = await writer.pause();
      assert.equal(kept[0]?.insertText, first.insertText);
      assert.deepEqual(kept[0]?.range, { start, end: writer.position });
    }
  });

  test('is gone when something else is typed', async () => {
    const writer = await openAndType(paragraph);
    const [first] = await writer.pause();
    assert.ok(first);
    await writer.type(' Zq');
    assert.deepEqual(await writer.pause(), []);
  });

  test('is the same when the writer asks again', async () => {
    const writer = await openAndType(paragraph);
    await writer.pause();
    const once = await writer.invoke();
    assert.deepEqual(await writer.invoke(), once);
  });

  test('once accepted is followed by the next sentence, whatever the pause', async () => {
    await server.configure(restful);
    const writer = await openAndType(paragraph);
    const [first] = await writer.invoke();
    assert.ok(first);
    await writer.accept(first);
    const following = await writer.pause();
    assert.ok(following.length > 0);
    assert.ok(!textsOf(following).includes(first.insertText));
    assert.deepEqual(following[0]?.range.start, writer.position);
    await server.configure(restless);
  });

  test('comes back when its acceptance is taken back and the writer asks', async () => {
    const writer = await openAndType(paragraph);
    const offered = await writer.invoke();
    const [first] = offered;
    assert.ok(first);
    await writer.accept(first);
    await writer.erase(first.insertText.length);
    assert.equal((await writer.invoke())[0]?.insertText, first.insertText);
  });

  test('may be a first sentence: more are told of, and the first stays', async () => {
    // How long an answer takes is known from the one before.
    await (await open(paragraph)).invoke();
    const writer = await open(`It had been raining for a week.${next}`);
    const [first, ...others] = await writer.invoke();
    assert.ok(first);
    const { uri, caret } = writer;
    assert.equal((await heard(ready, (params) => params.uri === uri)).offset, caret);
    const all = await writer.invoke();
    assert.equal(all[0]?.insertText, first.insertText);
    assert.ok(all.length > 1 + others.length);
  });
});

describe('commands', () => {
  test('are announced', async () => {
    const { capabilities } = server;
    assert.deepEqual(
      capabilities.executeCommandProvider?.commands.toSorted(),
      Object.values(serverCommands).toSorted(),
    );
    assert.equal(capabilities.inlineCompletionProvider, true);
  });

  test('explain tells what the last suggestion was made with', async () => {
    const writer = await open(paragraph);
    assert.equal(await writer.run(serverCommands.explain), null);
    const offered = await writer.invoke();
    const facts = await writer.run<SuggestionFacts>(serverCommands.explain);
    const status = server.statuses.findLast(({ state }) => state === 'ready');
    assert.ok(status?.state === 'ready');
    assert.equal(facts.conceptModel, status.conceptModel);
    assert.equal(facts.lang, 'eng_Latn');
    assert.ok(facts.steps > 0 && facts.latencyMs >= 0);
    assert.ok(facts.candidates.length >= offered.length);
    assert.ok(offered[0]?.insertText.endsWith(facts.candidates[0]?.text ?? '-'));
  });

  test('steer is told to everyone, bends what is offered, and is cleared', async () => {
    const writer = await open(paragraph);
    const { uri } = writer;
    const [plain] = textsOf(await writer.invoke());
    const steering = { pulls: [{ kind: 'toward', text: 'The soup was hot.' }], strength: 1 };
    assert.equal(await writer.run(serverCommands.steer, { steering }), null);
    const told = states.at(-1)?.documents.find((document) => document.uri === uri);
    assert.deepEqual(told?.steering, steering);
    assert.notEqual((await writer.invoke())[0]?.insertText, plain);

    assert.equal(await writer.run(serverCommands.steer, { steering: null }), null);
    assert.equal(
      states.at(-1)?.documents.some((document) => document.uri === uri),
      false,
    );
    assert.equal((await writer.invoke())[0]?.insertText, plain);
  });

  test('listDirections names those that suggestions can be bent in', async () => {
    const writer = await open(paragraph);
    const { directions } = await writer.run<SteeringChoices>(serverCommands.listDirections);
    assert.ok(directions.length > 0);
    assert.ok(directions.every((name) => directionNames.includes(name)));
  });

  test('setTarget takes code, tag and name; null leaves it to the document', async () => {
    const writer = await open(paragraph);
    for (const target of ['fra_Latn', 'fr', 'French']) {
      const answer = await writer.run(serverCommands.setTarget, { target });
      assert.deepEqual(answer, { target: 'fra_Latn' });
    }
    const told = states.at(-1)?.documents.find(({ uri }) => uri === writer.uri);
    assert.equal(told?.target, 'fra_Latn');
    assert.deepEqual(await writer.run(serverCommands.setTarget, { target: null }), {
      target: null,
    });
  });

  test('cycleTarget goes through the languages and writes the same ideas again', async () => {
    const writer = await open(paragraph);
    const [english] = textsOf(await writer.invoke());
    const seen = new Set<string | null>();
    for (;;) {
      const { target } = await writer.run<{ target: string | null }>(serverCommands.cycleTarget);
      if (seen.has(target)) break;
      seen.add(target);
    }
    assert.ok(seen.size > 1);
    await writer.run(serverCommands.setTarget, { target: 'fr' });
    const [french] = textsOf(await writer.invoke());
    assert.ok(french);
    assert.notEqual(french, english);
    await writer.run(serverCommands.setTarget, { target: null });
    assert.equal((await writer.invoke())[0]?.insertText, english);
  });

  test('snooze brings silence, which is told and can be ended; who asks is answered', async () => {
    const writer = await openAndType(paragraph);
    assert.equal(await server.execute(serverCommands.snooze, { minutes: 5 }), null);
    assert.ok((states.at(-1)?.snoozedUntil ?? 0) > 0);
    assert.deepEqual(await writer.pause(), []);
    await server.execute(serverCommands.snooze, { minutes: 0 });
    assert.equal(states.at(-1)?.snoozedUntil, null);
    assert.ok((await writer.pause()).length > 0);
    await server.execute(serverCommands.snooze, { minutes: 5 });
    await writer.typeKeys(next);
    assert.ok((await writer.invoke()).length > 0);
    await server.execute(serverCommands.snooze, { minutes: 0 });
  });

  test('statistics count what became of what was offered, and can be cleared', async () => {
    assert.equal(await server.execute(serverCommands.clearStatistics), null);
    const none = { shown: 0, accepted: 0, acceptedPartly: 0, typed: 0, kept: 0, rejected: 0 };
    assert.deepEqual(await counted(), none);

    const offered = async () => {
      const writer = await openAndType(paragraph);
      const [first] = await writer.pause();
      assert.ok(first);
      return { writer, first };
    };
    const accepting = await offered();
    await accepting.writer.accept(accepting.first);
    const typing = await offered();
    await typing.writer.typeKeys(typing.first.insertText);
    const rejecting = await offered();
    await rejecting.writer.typeKeys(' Zq');
    const parting = await offered();
    await parting.writer.type(parting.first.insertText.slice(0, 8));
    const each = { accepted: 1, acceptedPartly: 1, typed: 1, rejected: 1 };
    assert.deepEqual(await counted(), { ...none, ...each, shown: 4 });

    await server.execute(serverCommands.clearStatistics);
    assert.deepEqual(await counted(), none);
  });

  /** Whether an answer was ready depends on the machine. */
  async function counted() {
    const counts = await server.execute<Statistics>(serverCommands.statistics);
    const { since, ready: numReady, ...others } = counts;
    assert.ok(since > 0 && numReady <= others.shown);
    return others;
  }

  const { steer, setTarget, snooze, explain } = serverCommands;
  for (const [command, params, pattern] of [
    [steer, { steering: 7 }, /parameters: expected an object/],
    [steer, { steering: { pulls: {}, strength: 1 } }, /pulls: expected a list/],
    [steer, { steering: { pulls: Array(9).fill({}), strength: 1 } }, /pulls: expected a list/],
    [steer, { steering: { pulls: [{ kind: 'up' }], strength: 1 } }, /kind: expected toward, away/],
    [steer, { steering: { pulls: [{ kind: 'direction', name: 'up' }] } }, /name: expected shorter/],
    [steer, { steering: { pulls: [{ kind: 'away', text: 7 }] } }, /text: expected text/],
    [
      steer,
      { steering: { pulls: [{ kind: 'toward', text: 'x'.repeat(5000) }] } },
      /text: expected text of at most 4096/,
    ],
    [
      steer,
      { steering: { pulls: [{ kind: 'toward', text: 'x' }], strength: 2 } },
      /strength: expected a number from 0 to 1/,
    ],
    [setTarget, { target: 7 }, /target: expected text/],
    [setTarget, { target: 'x'.repeat(65) }, /target: expected text of at most 64/],
    [setTarget, { target: 'Klingon' }, /Klingon|language/],
    [snooze, { minutes: -1 }, /minutes: expected a number from 0/],
    [snooze, { minutes: 1e9 }, /minutes: expected a number from 0/],
    [snooze, { minutes: '5' }, /minutes: expected a number from 0/],
    [explain, { uri: 7 }, /uri: expected text/],
    [explain, { uri: 'file:///nowhere' }, /document: expected an open one/],
    ['thoughtline.server.destroy', {}, /command: expected one of ours/],
  ] as const) {
    test(`${command} refuses ${JSON.stringify(params).slice(0, 60)}`, async () => {
      const writer = await open(paragraph);
      await checkRefusal(writer.run(command, params), pattern);
    });
  }

  for (const [name, parameters] of [
    ['no parameters', []],
    ['a list', [[]]],
    ['a text', ['all']],
  ] as const) {
    test(`steer refuses ${name}`, () =>
      checkRefusal(server.execute(serverCommands.steer, ...parameters), /expected/));
  }
});

async function checkRefusal(request: Promise<unknown>, pattern: RegExp): Promise<void> {
  await assert.rejects(request, (error: unknown) => {
    assert.ok(error instanceof ResponseError, String(error));
    assert.equal(error.code, ErrorCodes.InvalidParams);
    assert.equal(error.data.code, 'invalidRequest');
    assert.match(error.message, pattern);
    return true;
  });
}
