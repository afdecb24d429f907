import {
  type ClientCapabilities,
  type CodeAction,
  CodeActionKind,
  type CodeActionOptions,
  type CodeActionParams,
  CodeActionTag,
  CodeActionTriggerKind,
  type Connection,
  LSPErrorCodes,
  MessageType,
  type Range,
  ResponseError,
  ShowMessageNotification,
  type WorkspaceEdit,
} from 'vscode-languageserver/node';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import { type RewriteKind, type RewriteResult, rewriteKinds } from '../protocol/completion.ts';
import { languageIds, type Settings } from '../protocol/settings.ts';
import { answer } from './answer.ts';
import type { CommandHandler } from './commands.ts';
import type { RewriteService } from './features/rewriting/rewriteService.ts';
import { RequestFields } from './requestFields.ts';

/*
 * Rewriting as code actions and as a command. Which actions there are is told by the text alone; the
 * model runs when one is chosen.
 */

/** What the requests are answered with. */
export interface RewritingParts {
  rewriting(): RewriteService;
  /** @throws InvalidRequestError when it is not open */
  document(uri: string): TextDocument;
  settings(uri: string): Promise<Settings>;
  /** Waits while a model is being loaded. */
  settled(signal: AbortSignal): Promise<void>;
}

/** Rewriting as a connection serves it. */
export interface RewritingRequests {
  /** Answers `serverCommands.rewrite`. */
  rewrite: CommandHandler;
  /** Returns what to announce to a client; undefined where it cannot take actions that come late. */
  options(client: ClientCapabilities): CodeActionOptions | undefined;
}

const titles: Readonly<Record<RewriteKind, string>> = {
  bridge: 'Bridge: write the sentence between',
  expand: 'Expand: write sentences for this heading',
  condense: 'Condense: make one sentence of this paragraph',
  rephrase: 'Rephrase: say it in other words',
};

const nothing: Readonly<Record<RewriteKind, string>> = {
  bridge: 'Thoughtline has found no sentence that leads from one to the other.',
  expand: 'Thoughtline has found no sentences for this heading.',
  condense: 'Thoughtline has found no sentence that says this paragraph.',
  rephrase: 'Thoughtline has found no other words that say the same.',
};

/** Names the question that a client asks before it applies an edit. */
const annotation = 'thoughtline.rewrite';

/** Answers code actions and prepares the answer of the command. */
export function serveRewriting(connection: Connection, parts: RewritingParts): RewritingRequests {
  let client: ClientCapabilities = {};

  connection.onCodeAction((params, token) =>
    answer(token, async () => actionsAt(parts, client, params)),
  );

  connection.onCodeActionResolve((action, token) =>
    answer(token, async (signal) => {
      const { kind, uri, range, version } = readData(action.data);
      const result = await rewriteRange(parts, { kind, uri, range, version }, signal);
      const [best] = result.alternatives;
      if (best === undefined) {
        // Editors take an action without an edit for one that does nothing; none shows a reason.
        const message = { type: MessageType.Info, message: nothing[kind] };
        await connection.sendNotification(ShowMessageNotification.method, message);
        return action;
      }
      const edit = { range: result.range, newText: best.text };
      return { ...action, edit: workspaceEdit(client, { uri, version }, edit, titles[kind]) };
    }),
  );

  return {
    rewrite: (params, signal) => {
      const document = parts.document(params.uri);
      const kind = params.oneOf('kind', rewriteKinds);
      const { uri, version } = document;
      return rewriteRange(parts, { kind, uri, range: params.range, version }, signal);
    },
    options: (capabilities) => {
      client = capabilities;
      const { codeActionLiteralSupport, resolveSupport } =
        capabilities.textDocument?.codeAction ?? {};
      const isLate = resolveSupport?.properties.includes('edit') === true;
      if (codeActionLiteralSupport === undefined || !isLate) return undefined;
      return { codeActionKinds: rewriteKinds.map(actionKind), resolveProvider: true };
    },
  };
}

/** A place of a document as it was when something was asked about it. */
interface RewritePlace {
  kind: RewriteKind;
  uri: string;
  range: Range;
  version: number;
}

/** @throws ResponseError when the document is another by now, or changes before the answer is there */
async function rewriteRange(
  parts: RewritingParts,
  { kind, uri, range, version }: RewritePlace,
  signal: AbortSignal,
): Promise<RewriteResult> {
  const document = parts.document(uri);
  checkVersion(document, version);
  const settings = await parts.settings(uri);
  await parts.settled(signal);
  checkVersion(document, version);
  const span = { start: document.offsetAt(range.start), end: document.offsetAt(range.end) };
  const found = await parts.rewriting().rewrite(kind, uri, span, settings, signal);
  checkVersion(parts.document(uri), version);
  const { start, end, original, alternatives } = found;
  return {
    range: { start: document.positionAt(start), end: document.positionAt(end) },
    original,
    alternatives,
  };
}

function checkVersion(document: TextDocument, version: number): void {
  if (document.version === version) return;
  throw new ResponseError(LSPErrorCodes.ContentModified, 'the text has changed meanwhile');
}

function actionsAt(
  parts: RewritingParts,
  client: ClientCapabilities,
  { textDocument, range, context }: CodeActionParams,
): CodeAction[] {
  const document = parts.document(textDocument.uri);
  if (!languageIds.some((id) => id === document.languageId)) return [];
  const span = { start: document.offsetAt(range.start), end: document.offsetAt(range.end) };
  // A lamp beside every line would not let anybody write.
  const isUnasked = context.triggerKind === CodeActionTriggerKind.Automatic;
  if (isUnasked && span.start === span.end) return [];
  const isMarked = client.textDocument?.codeAction?.tagSupport?.valueSet.includes(
    CodeActionTag.LLMGenerated,
  );
  const { uri, version } = document;
  return parts
    .rewriting()
    .possibleRewrites(uri, span)
    .filter((kind) => isWanted(actionKind(kind), context.only))
    .map((kind) => ({
      title: titles[kind],
      kind: actionKind(kind),
      data: { kind, uri, range, version },
      ...(isMarked === true && { tags: [CodeActionTag.LLMGenerated] }),
    }));
}

function actionKind(kind: RewriteKind): CodeActionKind {
  return `${CodeActionKind.RefactorRewrite}.thoughtline.${kind}`;
}

/** Kinds are hierarchical: who wants `refactor` wants everything below it. */
function isWanted(kind: CodeActionKind, only: readonly CodeActionKind[] | undefined): boolean {
  if (only === undefined) return true;
  return only.some((wanted) => wanted === '' || kind === wanted || kind.startsWith(`${wanted}.`));
}

/** Reads what came back with an action; the client only keeps it, but who knows. */
function readData(data: unknown): RewritePlace {
  const fields = new RequestFields(data);
  return {
    kind: fields.oneOf('kind', rewriteKinds),
    uri: fields.uri,
    range: fields.range,
    version: fields.wholeNumber('version', Number.MAX_SAFE_INTEGER),
  };
}

/** Says an edit as the client can take it: with a question before it, or at least for one version. */
function workspaceEdit(
  client: ClientCapabilities,
  { uri, version }: { uri: string; version: number },
  edit: { range: Range; newText: string },
  label: string,
): WorkspaceEdit {
  const { documentChanges, changeAnnotationSupport } = client.workspace?.workspaceEdit ?? {};
  if (documentChanges !== true) return { changes: { [uri]: [edit] } };
  const textDocument = { uri, version };
  if (changeAnnotationSupport === undefined)
    return { documentChanges: [{ textDocument, edits: [edit] }] };
  return {
    documentChanges: [{ textDocument, edits: [{ ...edit, annotationId: annotation }] }],
    changeAnnotations: { [annotation]: { label, needsConfirmation: true } },
  };
}
