import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ErrorCodes, ResponseError } from 'vscode-languageserver-protocol/node';
import {
  directionNames,
  type Statistics,
  type SteeringChoices,
  type SuggestionFacts,
  serverCommands,
} from '../../protocol/completion.ts';
import { BareClient, restless, textsOf } from '../support/bareClient.ts';
import type { ServerProcess } from '../support/serverProcess.ts';
import type { Writer } from '../support/writer.ts';

/* The commands of ghost text, as any editor runs them: `workspace/executeCommand`. */

const paragraph = 'The old man lived by the sea. Every morning he went out to fish.';
const next = ' His wife was waiting for him on the beach.';

let client: BareClient;
let server: ServerProcess;

before(async () => {
  client = await BareClient.start(restless);
  server = client.server;
});

after(async () => {
  assert.equal(await server.stop(), 0);
});

function openAndType(before: string, typed = next, after?: string): Promise<Writer> {
  return client.openAndType(before, typed, after);
}

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
    const writer = await client.open(paragraph);
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
    const writer = await client.open(paragraph);
    const { uri } = writer;
    const [plain] = textsOf(await writer.invoke());
    const steering = { pulls: [{ kind: 'toward', text: 'The soup was hot.' }], strength: 1 };
    assert.equal(await writer.run(serverCommands.steer, { steering }), null);
    const told = client.states.at(-1)?.documents.find((document) => document.uri === uri);
    assert.deepEqual(told?.steering, steering);
    assert.notEqual((await writer.invoke())[0]?.insertText, plain);

    assert.equal(await writer.run(serverCommands.steer, { steering: null }), null);
    assert.equal(
      client.states.at(-1)?.documents.some((document) => document.uri === uri),
      false,
    );
    assert.equal((await writer.invoke())[0]?.insertText, plain);
  });

  test('listDirections names those that suggestions can be bent in', async () => {
    const writer = await client.open(paragraph);
    const { directions } = await writer.run<SteeringChoices>(serverCommands.listDirections);
    assert.ok(directions.length > 0);
    assert.ok(directions.every((name) => directionNames.includes(name)));
  });

  test('setTarget takes code, tag and name; null leaves it to the document', async () => {
    const writer = await client.open(paragraph);
    for (const target of ['fra_Latn', 'fr', 'French']) {
      const answer = await writer.run(serverCommands.setTarget, { target });
      assert.deepEqual(answer, { target: 'fra_Latn' });
    }
    const told = client.states.at(-1)?.documents.find(({ uri }) => uri === writer.uri);
    assert.equal(told?.target, 'fra_Latn');
    assert.deepEqual(await writer.run(serverCommands.setTarget, { target: null }), {
      target: null,
    });
  });

  test('cycleTarget goes through the languages and writes the same ideas again', async () => {
    const writer = await client.open(paragraph);
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
    assert.ok((client.states.at(-1)?.snoozedUntil ?? 0) > 0);
    assert.deepEqual(await writer.pause(), []);
    await server.execute(serverCommands.snooze, { minutes: 0 });
    assert.equal(client.states.at(-1)?.snoozedUntil, null);
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
      const writer = await client.open(paragraph);
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
