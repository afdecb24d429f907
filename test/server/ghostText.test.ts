import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { CancellationTokenSource, LSPErrorCodes } from 'vscode-languageserver-protocol/node';
import { type SuggestionFacts, serverCommands } from '../../protocol/completion.ts';
import { BareClient, restless, textsOf } from '../support/bareClient.ts';
import { ServerProcess } from '../support/serverProcess.ts';
import { Writer } from '../support/writer.ts';

/*
 * Ghost text as any editor has it: a bare LSP client, the built server, and nothing but messages.
 * Where an order shows something, the pause is set to nothing or to more than a test takes.
 */

const paragraph = 'The old man lived by the sea. Every morning he went out to fish.';
const next = ' His wife was waiting for him on the beach.';
const restful = { completion: { pauseMs: 5000, minConfidence: 0 } };

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
    const writer = await client.open(paragraph);
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

  test('what the model itself does not believe comes only when it is asked for', async () => {
    await server.configure({ completion: { pauseMs: 0, minConfidence: 1 } });
    const writer = await openAndType(paragraph);
    assert.deepEqual(await writer.pause(), []);
    assert.ok((await writer.invoke()).length > 0);
    await server.configure(restless);
  });

  test('a client without configuration, that tells nothing of itself, has the defaults', async () => {
    const plain = await ServerProcess.start(
      { completion: { enabled: false } },
      'ready',
      undefined,
      {
        workspace: { configuration: false },
      },
    );
    const writer = await Writer.open(plain, 'file:///plain.md', paragraph);
    assert.ok((await writer.invoke()).length > 0);
    assert.equal(await plain.stop(), 0);
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
    const writer = await client.open(`${paragraph}|`, 'python');
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
});
