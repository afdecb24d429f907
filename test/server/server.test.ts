import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { CancellationTokenSource, ResponseError } from 'vscode-languageserver-protocol/node';
import {
  describeLanguage,
  findNeighbours,
  nextSentences,
  translate,
} from '../../protocol/server.ts';
import { ServerProcess } from '../support/serverProcess.ts';

const sample = readFileSync('samples/harbour.md', 'utf8');
const lines = sample.split('\n');
const proseLine = lines.findIndex((line) => line.startsWith('The girl ran'));
const proseEnd = lines[proseLine]?.length ?? 0;

let server: ServerProcess;
let documents = 0;

before(async () => {
  server = await ServerProcess.start();
});

after(async () => {
  assert.equal(await server.stop(), 0);
});

async function open(text: string, languageId = 'markdown'): Promise<string> {
  const uri = `file:///document-${++documents}`;
  await server.open(uri, languageId, text);
  return uri;
}

async function completionsAt(text: string, languageId: string): Promise<string[]> {
  const before = text.slice(0, text.indexOf('|'));
  const uri = await open(text.replace('|', ''), languageId);
  const rows = before.split('\n');
  const items = await server.complete(uri, rows.length - 1, rows.at(-1)?.length ?? 0);
  return items.map(({ insertText }) => insertText);
}

const firstParagraph = 'The old man lived by the sea. Every morning he went out to fish.';

test('the model becomes ready, and its status says where it runs', () => {
  const status = server.statuses.at(-1);
  assert.equal(status?.state, 'ready');
  assert.equal(status?.state === 'ready' && status.device, 'cpu');
});

test('a sentence end in Markdown gets several different sentences to insert there', async () => {
  const uri = await open(sample);
  const items = await server.complete(uri, proseLine, proseEnd);
  assert.ok(items.length >= 2);
  assert.equal(new Set(items.map(({ insertText }) => insertText)).size, items.length);
  for (const { insertText, range } of items) {
    assert.match(insertText, /^ \S/);
    assert.deepEqual(range.start, { line: proseLine, character: proseEnd });
    assert.deepEqual(range.end, range.start);
  }
});

test('the same place gets the same sentences again', async () => {
  const uri = await open(sample);
  const once = await server.complete(uri, proseLine, proseEnd);
  assert.deepEqual(await server.complete(uri, proseLine, proseEnd), once);
});

for (const [name, languageId, text] of [
  ['plain text', 'plaintext', `${firstParagraph}|`],
  ['LaTeX', 'latex', `\\begin{document}\n${firstParagraph}|\n\\end{document}\n`],
  ['an empty line after a paragraph', 'markdown', `${firstParagraph}\n\n|`],
] as const) {
  test(`${name} gets sentences`, async () => {
    assert.ok((await completionsAt(text, languageId)).length > 0);
  });
}

for (const [name, languageId, text] of [
  ['a code block', 'markdown', `${firstParagraph}\n\n\`\`\`js\nlet x = 1.|\n\`\`\`\n`],
  ['a heading', 'markdown', `${firstParagraph}\n\n# The end.|\n`],
  ['front matter', 'markdown', `---\ntitle: The end.|\n---\n\n${firstParagraph}\n`],
  ['the middle of a sentence', 'markdown', 'The old man lived| by the sea.'],
  ['display mathematics', 'latex', `${firstParagraph}\n\\[ x = 1.| \\]\n`],
  ['an empty document', 'plaintext', '|'],
  ['a language that is not prose', 'python', `${firstParagraph}|`],
] as const) {
  test(`${name} gets nothing`, async () => {
    assert.deepEqual(await completionsAt(text, languageId), []);
  });
}

test('a document typed edit by edit gets the same as one that was opened whole', async () => {
  const typed = await open('');
  let version = 1;
  for (const character of firstParagraph) {
    await server.connection.sendNotification('textDocument/didChange', {
      textDocument: { uri: typed, version: ++version },
      contentChanges: [{ range: rangeAt(version - 2), text: character }],
    });
  }
  const whole = await open(firstParagraph);
  const place = [0, firstParagraph.length] as const;
  assert.deepEqual(await server.complete(typed, ...place), await server.complete(whole, ...place));
});

function rangeAt(character: number) {
  return { start: { line: 0, character }, end: { line: 0, character } };
}

test('nextSentences answers with scored candidates, best first', async () => {
  const uri = await open(sample);
  const params = { uri, offset: sample.length, count: 4 };
  const { candidates, latencyMs } = await server.connection.sendRequest(nextSentences, params);
  assert.ok(candidates.length > 0 && latencyMs > 0);
  const confidences = candidates.map(({ confidence }) => confidence ?? -1);
  assert.deepEqual(
    confidences,
    confidences.toSorted((a, b) => b - a),
  );
  assert.ok(confidences.every((confidence) => confidence > 0 && confidence < 1));
  for (const candidate of candidates) {
    assert.ok(candidate.origin === 'model' && candidate.score < 0);
    assert.ok(Math.abs(candidate.agreement) <= 1);
  }
});

test('a sentence that the writer wrote elsewhere is offered when that is wanted, and marked', async () => {
  const own = 'She opened the little door with it and went in.';
  const uri = await open('It was raining. Lily found a key in the garden.');
  await open(`Lily found a key in her garden. ${own} Nobody saw her.`);
  const params = { uri, offset: 47, count: 40 };
  const ask = async () => {
    const { candidates } = await server.connection.sendRequest(nextSentences, params);
    return candidates.filter(({ origin }) => origin === 'own').map(({ text }) => text);
  };
  assert.deepEqual(await ask(), []);
  await server.configure({ completion: { ownSentences: true } });
  await server.status(({ state }) => state === 'ready');
  assert.ok((await ask()).includes(own));
  await server.configure({});
  await server.status(({ state }) => state === 'ready');
});

test('findNeighbours finds the sentence itself elsewhere first', async () => {
  const sentence = 'The women stood on the beach.';
  const text = `${sentence} It was cold and dark. The price of bread went up again. ${sentence}`;
  const uri = await open(text, 'plaintext');
  const found = await server.connection.sendRequest(findNeighbours, { uri, offset: 3, count: 2 });
  assert.equal(found.sentence?.text, sentence);
  const nearest = found.neighbours[0];
  assert.equal(nearest?.text, sentence);
  assert.equal(nearest?.start, text.lastIndexOf(sentence));
  assert.ok(nearest.score > 0.9999);
});

async function checkRefusal(params: unknown, pattern: RegExp): Promise<void> {
  await assert.rejects(
    server.connection.sendRequest(nextSentences.method, params),
    (error: unknown) => {
      assert.ok(error instanceof ResponseError);
      assert.equal(error.data.code, 'invalidRequest');
      assert.match(error.message, pattern);
      return true;
    },
  );
}

test('a request for a document that is not open is refused by name', () =>
  checkRefusal({ uri: 'file:///nowhere', offset: 0, count: 1 }, /document: expected an open one/));

test('a request with numbers of a wrong kind is refused by name', async () => {
  const uri = await open(sample);
  await checkRefusal({ uri, offset: 'one', count: 1 }, /offset: expected a whole number/);
  await checkRefusal({ uri, offset: 0, count: 1e9 }, /count: expected a whole number from 0 to 64/);
  await checkRefusal({ uri, offset: -1, count: 1 }, /offset: expected a whole number/);
});

test('a change of a closed document is left aside, and the server goes on', async () => {
  await server.connection.sendNotification('textDocument/didChange', {
    textDocument: { uri: 'file:///closed', version: 2 },
    contentChanges: [{ text: 'new' }],
  });
  assert.ok((await completionsAt(`${firstParagraph}|`, 'plaintext')).length > 0);
});

test('a cancelled request answers at once, and the next one is served', async () => {
  const uri = await open(sample);
  const cancel = new CancellationTokenSource();
  const request = server.connection.sendRequest(
    nextSentences,
    { uri, offset: sample.length, count: 64 },
    cancel.token,
  );
  // The answer to a later request shows that the server has begun with this one.
  await checkRefusal({ uri: 'file:///nowhere', offset: 0, count: 1 }, /document/);
  cancel.cancel();
  await assert.rejects(request, { code: -32800 });
  assert.ok((await completionsAt(`${firstParagraph}|`, 'plaintext')).length > 0);
});

for (const [name, text] of [
  ['one character a sentence', 'A. B! C? D. E.|'],
  ['a sentence of 20,000 characters', `${'word '.repeat(4000)}end.|`],
  ['a word of 20,000 characters', `${'x'.repeat(20_000)}.|`],
  ['a lone surrogate', `He said \ud83d and left. ${firstParagraph}|`],
  ['right-to-left text', 'عاش الرجل العجوز بجوار البحر. كان يخرج كل صباح للصيد.|'],
  ['Chinese', '老人住在海边。他每天早上出去钓鱼。|'],
  ['binary', `\u0000\u0001\u0002 ${firstParagraph}\u0000|`],
  ['10 MB', `${`${firstParagraph}\n\n`.repeat(160_000)}${firstParagraph}|`],
] as const) {
  test(`a document of ${name} is answered, and the server goes on`, async () => {
    const items = await completionsAt(text, 'plaintext');
    assert.ok(Array.isArray(items));
    assert.ok((await completionsAt(`${firstParagraph}|`, 'plaintext')).length > 0);
  });
}

test('the built-in model knows seven languages, and finds which one is written', async () => {
  const uri = await open('Il pleut depuis trois jours. Personne ne sort.');
  const { languages, source, target } = await server.connection.sendRequest(describeLanguage, {
    place: { uri, offset: 3 },
  });
  assert.deepEqual(languages.map(({ code }) => code).toSorted(), [
    'deu_Latn',
    'eng_Latn',
    'fra_Latn',
    'ita_Latn',
    'por_Latn',
    'spa_Latn',
    'zho_Hans',
  ]);
  assert.deepEqual(source, { code: 'fra_Latn', reason: 'paragraph' });
  assert.equal(target, 'fra_Latn');
  const nowhere = await server.connection.sendRequest(describeLanguage, {});
  assert.deepEqual([nowhere.source, nowhere.target], [null, null]);
});

test('a selection is translated sentence by sentence, without its markup', async () => {
  const uri = await open(firstParagraph);
  const text = 'The old man *lived* by the sea. Every morning he went out to fish.';
  const result = await server.connection.sendRequest(translate, { uri, text, to: 'English' });
  assert.equal(result.to, 'eng_Latn');
  assert.deepEqual(
    result.sentences.map((sentence) => sentence.text),
    ['The old man lived by the sea.', 'Every morning he went out to fish.'],
  );
  for (const sentence of result.sentences) {
    assert.match(sentence.translation, /\w/);
    assert.ok(sentence.score < 0);
    assert.equal(sentence.from.code, 'eng_Latn');
  }
  assert.equal(
    result.translation,
    result.sentences.map((sentence) => sentence.translation).join(' '),
  );
});

test('wrong wishes for a translation are invalid requests', async () => {
  const wrong: unknown[] = [
    { text: 'Hello.', to: 'cy' },
    { text: 'Hello.', from: 'cy', to: 'en' },
    { text: 7, to: 'en' },
    { text: 'Hello.', to: 'x'.repeat(65) },
    { text: 'x'.repeat(300_000), to: 'en' },
    { uri: 'file:///closed.md', text: 'Hello.', to: 'en' },
  ];
  for (const params of wrong) {
    await assert.rejects(
      server.connection.sendRequest('thoughtline/translate', params),
      (error) => error instanceof ResponseError && error.data.code === 'invalidRequest',
    );
  }
});
