import {
  type Connection,
  DidChangeConfigurationNotification,
  type InitializeParams,
  type InitializeResult,
  InlineCompletionTriggerKind,
  type TextDocumentContentChangeEvent,
  TextDocumentSyncKind,
} from 'vscode-languageserver/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import {
  type CompletionState,
  completionState,
  type SuggestionsReadyParams,
  suggestionsReady,
} from '../protocol/completion.ts';
import {
  describeLanguage,
  findNeighbours,
  type InitializationOptions,
  type ModelStatus,
  modelStatus,
  nextSentences,
  translate,
} from '../protocol/server.ts';
import { settingsSection } from '../protocol/settings.ts';
import { answer } from './answer.ts';
import { InvalidRequestError } from './base/errors.ts';
import type { Logger } from './base/logger.ts';
import { LatestOnly } from './base/queue.ts';
import { serveRewriting } from './codeActions.ts';
import { commandNames, readSteering, serveCommands } from './commands.ts';
import type { ConceptService } from './features/conceptService.ts';
import type { TextEdit } from './features/documentConcepts.ts';
import type { RewriteService } from './features/rewriting/rewriteService.ts';
import type { ModelHost } from './modelHost.ts';
import { readProxySettings } from './modelManager.ts';
import { serveModelRequests } from './modelRequests.ts';
import { ProgressReport } from './progressReport.ts';
import { RequestFields } from './requestFields.ts';
import { SettingsCache } from './settingsCache.ts';
import type { ModelStore } from './store/modelStore.ts';
import type { ProseFormat } from './text/proseBlock.ts';
import type { WritingService } from './writing/writingService.ts';

/** The most candidates or neighbours of one answer. */
const maxCount = 64;

/** The longest text that is translated at once, in UTF-16 units: some 100 pages. */
const maxTranslatedLength = 1 << 18;

/** A day. */
const maxSnoozeMinutes = 24 * 60;

/** The longest name of a language. */
const maxNameLength = 64;

/** What lies behind the connection, built when the client has said where things may be stored. */
export interface House {
  service: ConceptService;
  writing: WritingService;
  rewriting: RewriteService;
  models: ModelHost;
  store: ModelStore;
  dispose(): Promise<void>;
}

export type BuildHouse = (parts: {
  storageFolder: string | undefined;
  logger: Logger;
  onStatus: (status: ModelStatus) => void;
  onState: (state: CompletionState) => void;
  onReady: (params: SuggestionsReadyParams) => void;
}) => House;

/**
 * LSP ⇄ service: the only file that knows JSON-RPC. Positions become offsets, tokens become abort
 * signals, errors gain a code.
 */
export function serve(connection: Connection, buildHouse: BuildHouse): void {
  const logger: Logger = {
    debug: (message) => connection.console.debug(message),
    info: (message) => connection.console.info(message),
    warn: (message) => connection.console.warn(message),
    error: (message) => connection.console.error(message),
  };
  const documents = new Map<string, TextDocument>();
  let house: House | null = null;
  let settings = new SettingsCache(null, logger);
  let progress = new ProgressReport(null);
  let loaded = '';
  let hasConfiguration = false;
  let hasFolders = false;
  /** Whether the client takes it that we want to be told of settings; others tell unasked. */
  let canRegister = false;
  const completions = new LatestOnly();

  const rewriting = serveRewriting(connection, {
    rewriting: () => needHouse().rewriting,
    document: openDocument,
    settings: (uri) => settings.get(uri),
    settled: (signal) => needHouse().models.settled(signal),
  });

  connection.onInitialize((params): InitializeResult => {
    const { workspace, window } = params.capabilities;
    hasConfiguration = workspace?.configuration === true;
    hasFolders = workspace?.workspaceFolders === true;
    canRegister = workspace?.didChangeConfiguration?.dynamicRegistration === true;
    if (hasConfiguration) {
      settings = new SettingsCache(
        (scopeUri) =>
          connection.workspace.getConfiguration(
            scopeUri === undefined
              ? { section: settingsSection }
              : { scopeUri, section: settingsSection },
          ),
        logger,
      );
    }
    if (window?.workDoneProgress === true) {
      progress = new ProgressReport(() => connection.window.createWorkDoneProgress());
    }
    house = buildHouse({
      storageFolder: storageFolder(params),
      logger,
      onStatus,
      onState: (state) => void connection.sendNotification(completionState, state),
      onReady: (ready) => void connection.sendNotification(suggestionsReady, ready),
    });
    house.writing.useFolders(foldersOf(params));
    const codeActionProvider = rewriting.options(params.capabilities);
    return {
      serverInfo: { name: 'thoughtline' },
      capabilities: {
        textDocumentSync: { openClose: true, change: TextDocumentSyncKind.Incremental },
        inlineCompletionProvider: true,
        executeCommandProvider: { commands: commandNames },
        ...(codeActionProvider !== undefined && { codeActionProvider }),
      },
    };
  });

  connection.onInitialized(async () => {
    if (hasFolders) {
      connection.workspace.onDidChangeWorkspaceFolders(async () => {
        const folders = (await connection.workspace.getWorkspaceFolders()) ?? [];
        house?.writing.useFolders(folders.map(({ uri }) => uri));
      });
    }
    if (canRegister) {
      await connection.client.register(DidChangeConfigurationNotification.type, {
        section: settingsSection,
      });
    }
    await loadModel();
  });

  connection.onDidChangeConfiguration(async () => {
    settings.clear();
    for (const uri of documents.keys()) void applySettings(uri);
    await loadModel();
  });

  connection.onDidOpenTextDocument(({ textDocument: { uri, languageId, version, text } }) => {
    documents.set(uri, TextDocument.create(uri, languageId, version, text));
    needHouse().writing.openDocument(uri, languageId, formatOfLanguage(languageId), text);
    void applySettings(uri);
  });

  connection.onDidChangeTextDocument(({ textDocument: { uri, version }, contentChanges }) => {
    const document = documents.get(uri);
    if (document === undefined) {
      logger.warn('a change of a document that is not open was left aside');
      return;
    }
    for (const change of contentChanges) {
      needHouse().writing.changeDocument(uri, editOf(document, change));
      TextDocument.update(document, [change], version);
    }
  });

  connection.onDidCloseTextDocument(({ textDocument: { uri } }) => {
    documents.delete(uri);
    settings.forget(uri);
    needHouse().writing.closeDocument(uri);
  });

  connection.languages.inlineCompletion.on((params, token) => {
    const complete = async (signal: AbortSignal) => {
      const { uri } = params.textDocument;
      const document = openDocument(uri);
      const current = await settings.get(uri);
      await needHouse().models.settled(signal);
      const request = {
        uri,
        offset: document.offsetAt(params.position),
        isExplicit: params.context.triggerKind === InlineCompletionTriggerKind.Invoked,
      };
      const found = await needHouse().writing.complete(request, current, signal);
      return found.map(({ start, text }) => ({
        insertText: text,
        range: { start: document.positionAt(start), end: params.position },
      }));
    };
    return answer(token, (cancelled) => completions.run(complete, cancelled));
  });

  connection.onRequest(nextSentences, (params, token) =>
    answer(token, async (signal) => {
      const { uri, offset, count } = readPlace(params);
      const current = await settings.get(uri);
      const result = await needHouse().service.nextSentences(uri, offset, count, current, signal);
      needHouse().models.noteLatency(result.latencyMs);
      return result;
    }),
  );

  connection.onRequest(findNeighbours, (params, token) =>
    answer(token, async (signal) => {
      const { uri, offset, count } = readPlace(params);
      const current = await settings.get(uri);
      return needHouse().service.findNeighbours(uri, offset, count, current, signal);
    }),
  );

  connection.onRequest(describeLanguage, (params, token) =>
    answer(token, async (signal) => {
      const { place } = params;
      if (place !== undefined) readOffset(place);
      const current = await settings.get(place && openDocument(place.uri).uri);
      await needHouse().models.settled(signal);
      return needHouse().service.describeLanguage(place, current);
    }),
  );

  connection.onRequest(translate, (params, token) =>
    answer(token, async (signal) => {
      const { uri, from } = params;
      const fields = new RequestFields(params);
      const wanted = {
        text: fields.text('text', maxTranslatedLength),
        to: fields.text('to', maxNameLength),
        ...(uri !== undefined && { uri: openDocument(uri).uri }),
        ...(from !== undefined && { from: fields.text('from', maxNameLength) }),
      };
      const current = await settings.get(wanted.uri);
      await needHouse().models.settled(signal);
      return needHouse().service.translate(wanted, current, signal);
    }),
  );

  serveCommands(connection, {
    steer: (params) =>
      needHouse().writing.steer(openDocument(params.uri).uri, readSteering(params)),
    listDirections: () => ({ directions: needHouse().writing.directions }),
    setTarget: (params) => {
      const { uri } = openDocument(params.uri);
      const target = params.nullable('target', (name) => params.text(name, maxNameLength));
      return { target: needHouse().writing.setTarget(uri, target) };
    },
    cycleTarget: (params) => ({
      target: needHouse().writing.cycleTarget(openDocument(params.uri).uri),
    }),
    snooze: (params) => needHouse().writing.snooze(params.number('minutes', maxSnoozeMinutes)),
    explain: (params) => needHouse().writing.explain(openDocument(params.uri).uri),
    statistics: () => needHouse().writing.statistics(),
    clearStatistics: () => needHouse().writing.clearStatistics(),
    rewrite: rewriting.rewrite,
  });

  serveModelRequests(connection, {
    store: () => needHouse().store,
    network: async () => {
      const { model } = await settings.get();
      // VS Code's own section; other clients answer null.
      const http = hasConfiguration ? await connection.workspace.getConfiguration('http') : null;
      return { mirror: model.mirror, proxy: readProxySettings(http) };
    },
    onChange: () => {
      loaded = '';
      // Nobody waits for it: the status tells how it went.
      loadModel().catch((error) => logger.warn(`models changed, but: ${String(error)}`));
    },
  });

  connection.onShutdown(async () => {
    await house?.dispose();
  });

  connection.listen();

  function needHouse(): House {
    if (house === null) throw new InvalidRequestError('request: expected initialize first');
    return house;
  }

  function openDocument(uri: string): TextDocument {
    const document = documents.get(uri);
    if (document === undefined) {
      throw new InvalidRequestError('document: expected an open one, found one that is closed');
    }
    return document;
  }

  function readPlace(params: unknown) {
    const fields = new RequestFields(params);
    const { uri } = openDocument(fields.uri);
    return { uri, offset: readOffset(params), count: fields.wholeNumber('count', maxCount) };
  }

  /** Tells the house the settings of a document that it needs before anything is asked. */
  async function applySettings(uri: string): Promise<void> {
    try {
      const current = await settings.get(uri);
      house?.writing.useSettings(uri, current);
    } catch (error) {
      // Nobody waits for this: what fails here fails again, and is told, when something is asked.
      logger.warn(`settings of a document could not be read: ${String(error)}`);
    }
  }

  function onStatus(status: ModelStatus): void {
    void connection.sendNotification(modelStatus, status);
    if (status.state === 'preparing') progress.show(status.fraction, status.label);
    else progress.done();
  }

  /** Loads the model that the settings name, unless it is the one that is loaded. */
  async function loadModel(): Promise<void> {
    const { model, completion } = await settings.get();
    const { models } = needHouse();
    models.wantConceptModel(completion.conceptModel);
    const { name, threads, device } = model;
    const wanted = JSON.stringify({ name, threads, device });
    if (wanted === loaded) return;
    loaded = wanted;
    await models.load(name, threads === 0 ? { device } : { device, intraOpNumThreads: threads });
  }
}

/** The folders that a client has open, as any version of the protocol tells them. */
function foldersOf({ workspaceFolders, rootUri }: InitializeParams): string[] {
  const folders = (workspaceFolders ?? []).map(({ uri }) => uri);
  return folders.length === 0 && typeof rootUri === 'string' ? [rootUri] : folders;
}

/** Reads the one option that we take, trusting nothing. */
function storageFolder(params: InitializeParams): string | undefined {
  const options: Partial<Record<keyof InitializationOptions, unknown>> | null | undefined =
    params.initializationOptions;
  return typeof options?.storageFolder === 'string' ? options.storageFolder : undefined;
}

function readOffset(params: unknown): number {
  return new RequestFields(params).wholeNumber('offset', Number.MAX_SAFE_INTEGER);
}

function formatOfLanguage(languageId: string): ProseFormat {
  if (languageId === 'markdown') return 'markdown';
  return languageId === 'latex' || languageId === 'tex' ? 'latex' : 'plaintext';
}

function editOf(document: TextDocument, change: TextDocumentContentChangeEvent): TextEdit {
  if (!('range' in change)) {
    return { start: 0, end: document.getText().length, text: change.text };
  }
  const start = document.offsetAt(change.range.start);
  const end = document.offsetAt(change.range.end);
  return { start: Math.min(start, end), end: Math.max(start, end), text: change.text };
}
