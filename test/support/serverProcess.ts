import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ClientCapabilities,
  createProtocolConnection,
  InitializeRequest,
  type InitializeResult,
  type ProtocolConnection,
  type ServerCapabilities,
  StreamMessageReader,
  StreamMessageWriter,
} from 'vscode-languageserver-protocol/node';
import { type ModelStatus, modelStatus } from '../../protocol/server.ts';

/** The built server over a real connection, as any LSP client would run it. */
export class ServerProcess {
  readonly connection: ProtocolConnection;
  readonly child: ChildProcess;
  /** Every status that was told, in order. */
  readonly statuses: ModelStatus[] = [];
  /** What the writer was told, in order. */
  readonly messages: string[] = [];
  /** Kinds of work-done progress that were reported, in order. */
  readonly progress: string[] = [];
  #settings: unknown;
  #announced: InitializeResult | undefined;
  readonly #storage = mkdtempSync(join(tmpdir(), 'thoughtline-server-'));
  readonly #exited: Promise<unknown>;
  readonly #listeners = new Set<() => void>();

  private constructor(settings: unknown, script: string) {
    this.#settings = settings;
    this.child = spawn(process.execPath, [script, '--stdio'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#exited = once(this.child, 'exit');
    process.once('exit', () => rmSync(this.#storage, { recursive: true, force: true }));
    const { stdout, stdin } = this.child;
    if (stdout === null || stdin === null) throw new Error('the server has no pipes');
    this.connection = createProtocolConnection(
      new StreamMessageReader(stdout),
      new StreamMessageWriter(stdin),
    );
    this.connection.onNotification(modelStatus, (status) => {
      this.statuses.push(status);
      for (const listener of this.#listeners) listener();
    });
    this.connection.onNotification('window/showMessage', ({ message }: { message: string }) => {
      this.messages.push(message);
    });
    this.connection.onNotification('$/progress', ({ value }: { value: { kind: string } }) => {
      this.progress.push(value.kind);
    });
    this.connection.onRequest('workspace/configuration', (params: { items: unknown[] }) =>
      params.items.map(() => this.#settings),
    );
    this.connection.onRequest('window/workDoneProgress/create', () => null);
    this.connection.listen();
  }

  /** Starts a server and waits until its model has come to a state. */
  static async start(
    settings: unknown = {},
    state: ModelStatus['state'] = 'ready',
    script = 'dist/server.js',
    capabilities: ClientCapabilities = {},
  ): Promise<ServerProcess> {
    const server = await ServerProcess.launch(settings, script, capabilities);
    await server.status((status) => status.state === state || status.state === 'failed');
    return server;
  }

  /** Starts a server and does not wait for its model. */
  static async launch(
    settings: unknown = {},
    script = 'dist/server.js',
    { workspace, textDocument }: ClientCapabilities = {},
  ): Promise<ServerProcess> {
    const server = new ServerProcess(settings, script);
    server.#announced = await server.connection.sendRequest(InitializeRequest.method, {
      processId: process.pid,
      rootUri: null,
      capabilities: {
        workspace: { configuration: true, ...workspace },
        window: { workDoneProgress: true },
        textDocument,
      },
      initializationOptions: { storageFolder: server.#storage },
    });
    await server.connection.sendNotification('initialized', {});
    return server;
  }

  /** What the server says that it can. */
  get capabilities(): ServerCapabilities {
    return this.#announced?.capabilities ?? {};
  }

  /** Changes the settings, as a writer does. */
  async configure(settings: unknown): Promise<void> {
    this.#settings = settings;
    this.statuses.length = 0;
    await this.connection.sendNotification('workspace/didChangeConfiguration', { settings: null });
  }

  /** Waits until a status that fits has been told. */
  status(fits: (status: ModelStatus) => boolean): Promise<ModelStatus> {
    return new Promise((resolve) => {
      const look = () => {
        const found = this.statuses.findLast(fits);
        if (found === undefined) return;
        this.#listeners.delete(look);
        resolve(found);
      };
      this.#listeners.add(look);
      look();
    });
  }

  async open(uri: string, languageId: string, text: string): Promise<void> {
    await this.connection.sendNotification('textDocument/didOpen', {
      textDocument: { uri, languageId, version: 1, text },
    });
  }

  /** Asks for ghost text at a position. */
  async complete(uri: string, line: number, character: number): Promise<InlineItem[]> {
    const items = await this.connection.sendRequest<InlineItem[] | null>(
      'textDocument/inlineCompletion',
      { textDocument: { uri }, position: { line, character }, context: { triggerKind: 1 } },
    );
    return items ?? [];
  }

  /** Runs one of the server's commands, as any editor can. */
  execute<Result>(command: string, ...parameters: unknown[]): Promise<Result> {
    return this.connection.sendRequest('workspace/executeCommand', {
      command,
      arguments: parameters,
    });
  }

  /** Shuts the server down as the protocol says. @returns its exit status */
  async stop(): Promise<number | null> {
    await this.connection.sendRequest('shutdown');
    await this.connection.sendNotification('exit');
    await this.#exited;
    this.connection.dispose();
    return this.child.exitCode;
  }
}

export interface InlineItem {
  insertText: string;
  range: { start: Place; end: Place };
}

export interface Place {
  line: number;
  character: number;
}
