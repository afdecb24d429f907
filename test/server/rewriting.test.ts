import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  type ClientCapabilities,
  type CodeAction,
  type CodeActionContext,
  CodeActionRequest,
  CodeActionResolveRequest,
  ExecuteCommandRequest,
  LSPErrorCodes,
  TextDocumentEdit,
} from 'vscode-languageserver-protocol/node';
import {
  type RewriteParams,
  type RewriteResult,
  serverCommands,
} from '../../protocol/completion.ts';
import { ServerProcess } from '../support/serverProcess.ts';

/* Rewriting over a real connection, with the built-in model, as any LSP client would ask for it. */

const able: ClientCapabilities = {
  workspace: {
    workspaceEdit: { documentChanges: true, changeAnnotationSupport: {} },
  },
  textDocument: {
    codeAction: {
      codeActionLiteralSupport: { codeActionKind: { valueSet: ['refactor'] } },
      dataSupport: true,
      resolveSupport: { properties: ['edit'] },
      tagSupport: { valueSet: [1] },
    },
  },
};

const text =
  '# The children find a dog\n\nHe paid 25 dollars for it. He does not like strangers.\n';
const sentence = { line: 2, character: 30 };

let server: ServerProcess;
let documents = 0;

before(async () => {
  server = await ServerProcess.start({}, 'ready', 'dist/server.js', able);
});
after(async () => {
  assert.equal(await server.stop(), 0);
});

async function open(source = text, languageId = 'markdown'): Promise<string> {
  const uri = `file:///rewritten-${++documents}`;
  await server.open(uri, languageId, source);
  return uri;
}

async function actionsAt(
  uri: string,
  start: { line: number; character: number },
  context: Partial<CodeActionContext> = {},
  end = start,
): Promise<CodeAction[]> {
  const params = {
    textDocument: { uri },
    range: { start, end },
    context: { diagnostics: [], ...context },
  };
  const found = await server.connection.sendRequest(CodeActionRequest.type, params);
  return (found ?? []).filter((one): one is CodeAction => 'kind' in one);
}

const kindsOf = (actions: readonly CodeAction[]) =>
  actions.map(({ kind = '' }) => kind.replace('refactor.rewrite.thoughtline.', ''));

function resolve(action: CodeAction): Promise<CodeAction> {
  return server.connection.sendRequest(CodeActionResolveRequest.type, action);
}

function rewrite(params: RewriteParams): Promise<RewriteResult> {
  const { method } = ExecuteCommandRequest.type;
  return server.connection.sendRequest(method, {
    command: serverCommands.rewrite,
    arguments: [params],
  });
}

test('actions are announced to who can take them, each with its kind', async () => {
  const { codeActionProvider } = server.capabilities;
  assert.ok(typeof codeActionProvider === 'object');
  assert.equal(codeActionProvider.resolveProvider, true);
  assert.deepEqual(codeActionProvider.codeActionKinds, [
    'refactor.rewrite.thoughtline.bridge',
    'refactor.rewrite.thoughtline.expand',
    'refactor.rewrite.thoughtline.condense',
    'refactor.rewrite.thoughtline.rephrase',
  ]);
  const plain = await ServerProcess.start({}, 'ready');
  assert.equal(plain.capabilities.codeActionProvider, undefined);
  assert.equal(await plain.stop(), 0);
});

test('what is possible depends on the place, and on what is wanted', async () => {
  const uri = await open();
  assert.deepEqual(kindsOf(await actionsAt(uri, sentence)), ['condense', 'rephrase']);
  assert.deepEqual(kindsOf(await actionsAt(uri, { line: 0, character: 4 })), ['expand']);
  const only = (...kinds: string[]) => actionsAt(uri, sentence, { only: kinds });
  assert.equal((await only('refactor')).length, 2);
  assert.equal((await only('refactor.rewrite')).length, 2);
  assert.equal((await only('quickfix', 'refactor.rewrite.thoughtline.rephrase')).length, 1);
  assert.deepEqual(await only('quickfix', 'refactor.rew'), []);
  assert.deepEqual(await actionsAt(await open(text, 'python'), sentence), []);
});

test('a caret alone lights no lamp that nobody asked for, a selection does', async () => {
  const uri = await open();
  assert.deepEqual(await actionsAt(uri, sentence, { triggerKind: 2 }), []);
  const end = { ...sentence, character: 40 };
  assert.ok((await actionsAt(uri, sentence, { triggerKind: 2 }, end)).length > 0);
});

test('an action resolves to an edit of that version, with a question before it', async () => {
  const uri = await open();
  const action = (await actionsAt(uri, sentence)).find(({ title }) => title.startsWith('Rephrase'));
  assert.ok(action !== undefined);
  assert.deepEqual([action.edit, action.tags], [undefined, [1]]);
  const { edit } = await resolve(action);
  const [change] = edit?.documentChanges ?? [];
  assert.ok(TextDocumentEdit.is(change));
  assert.deepEqual(change.textDocument, { uri, version: 1 });
  const [replaced] = change.edits;
  assert.ok(replaced !== undefined && 'annotationId' in replaced && 'newText' in replaced);
  assert.equal(edit?.changeAnnotations?.[replaced.annotationId]?.needsConfirmation, true);
  assert.deepEqual(replaced.range, {
    start: { line: 2, character: 27 },
    end: { line: 2, character: 54 },
  });
  assert.match(replaced.newText, /\w.*\.$/);
  assert.notEqual(replaced.newText, 'He does not like strangers.');
});

test('an action for a text that has changed since is refused', async () => {
  const uri = await open();
  const [action] = await actionsAt(uri, sentence);
  await server.connection.sendNotification('textDocument/didChange', {
    textDocument: { uri, version: 2 },
    contentChanges: [{ text: 'Something else.' }],
  });
  assert.ok(action !== undefined);
  await assert.rejects(resolve(action), { code: LSPErrorCodes.ContentModified });
});

test('where there is nothing to offer, the action has no edit and the writer is told why', async () => {
  // Nobody can say this in other words.
  const uri = await open('Qxzvkt wrjp 7319 gghdl 88421.\n');
  const [action] = await actionsAt(uri, { line: 0, character: 3 });
  assert.ok(action !== undefined);
  assert.equal((await resolve(action)).edit, undefined);
  assert.deepEqual(server.messages, ['Thoughtline has found no other words that say the same.']);
});

test('the command gives all alternatives, best first, and the text as it stands', async () => {
  const uri = await open();
  const range = { start: sentence, end: sentence };
  for (const [kind, original, found] of [
    ['rephrase', 'He does not like strangers.', range],
    ['condense', text.slice(27, -1), range],
    ['expand', '', { start: { line: 0, character: 3 }, end: { line: 0, character: 3 } }],
    ['bridge', '', { start: { line: 2, character: 26 }, end: { line: 2, character: 27 } }],
  ] as const) {
    const { alternatives, ...result } = await rewrite({ uri, kind, range: found });
    assert.equal(result.original, original, kind);
    assert.ok(alternatives.length > 0, kind);
    const agreements = alternatives.map(({ agreement }) => agreement);
    assert.deepEqual(
      agreements,
      agreements.toSorted((a, b) => b - a),
      kind,
    );
    assert.deepEqual(await rewrite({ uri, kind, range: found }), { alternatives, ...result });
  }
});

test('what is no place for it gives no alternatives, what is malformed is refused', async () => {
  const uri = await open();
  const range = { start: { line: 1, character: 0 }, end: { line: 1, character: 0 } };
  assert.deepEqual((await rewrite({ uri, kind: 'expand', range })).alternatives, []);
  const broken = [
    { uri, kind: 'rephrase' },
    { uri, kind: 'improve', range },
    { uri: 'file:///closed', kind: 'rephrase', range },
    { uri, kind: 'rephrase', range: { start: { line: -1, character: 0 }, end: range.end } },
  ];
  for (const params of broken) {
    const asked = rewrite(params as unknown as RewriteParams);
    await assert.rejects(asked, { data: { code: 'invalidRequest', retryable: false } });
  }
  await assert.rejects(resolve({ title: 'Rephrase', data: { kind: 'rephrase' } }), /uri/);
});
