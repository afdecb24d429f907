import { randomUUID } from 'node:crypto';
import {
  type CancellationToken,
  type Disposable,
  type Event,
  EventEmitter,
  type ExtensionContext,
  type LogOutputChannel,
  l10n,
  Uri,
  workspace,
} from 'vscode';
import {
  CloseAction,
  type ConfigurationRequest,
  ErrorAction,
  type ErrorHandler,
  ExecuteCommandRequest,
  LanguageClient,
  type LanguageClientOptions,
  type Middleware,
  type NotificationType,
  type RequestParam,
  type RequestType,
  ResponseError,
  RevealOutputChannelOn,
  State,
  TransportKind,
  WorkDoneProgress,
} from 'vscode-languageclient/node';
import type { ErrorData } from '../protocol/errors.ts';
import { type InitializationOptions, type ModelStatus, modelStatus } from '../protocol/server.ts';
import { languageIds } from '../protocol/settings.ts';
import type { Notifier } from './notify.ts';
import { RestartPolicy } from './restartPolicy.ts';

/** The health of the server as it tells it; or, when it cannot speak, that it is not there. */
export type Health = ModelStatus | { state: 'starting' } | { state: 'stopped' };

/** Schemes of documents in a window: local, new, remote and virtual. Their text comes from the editor. */
const schemes = ['file', 'untitled', 'vscode-remote', 'vscode-vfs'];

/** Broken messages after which a connection is given up, as the library's own handler does. */
const maxConnectionErrors = 3;

/** How a request is watched and stopped. */
export interface AskOptions {
  cancellation?: CancellationToken;
  onProgress?: (value: { message?: string; percentage?: number }) => void;
}

/**
 * Starts, restarts and stops the language server. A server that goes away comes back by itself, a
 * few times; every start makes a new connection, so that none inherits the state of a broken one.
 */
export class ServerClient implements Disposable {
  readonly #context: ExtensionContext;
  readonly #log: LogOutputChannel;
  readonly #notifier: Notifier;
  readonly #middleware: Middleware;
  readonly #restarts = new RestartPolicy();
  readonly #healthChanged = new EventEmitter<Health>();
  /** Registers each listener with a connection. */
  readonly #listeners: ((client: QuietClient) => void)[] = [];
  /** The connection that counts; undefined while none is wanted. */
  #client: QuietClient | undefined;
  #restarting: Promise<void> | undefined;
  #isDisposed = false;

  constructor(
    context: ExtensionContext,
    log: LogOutputChannel,
    notifier: Notifier,
    middleware: Middleware,
  ) {
    this.#context = context;
    this.#log = log;
    this.#notifier = notifier;
    this.#middleware = middleware;
  }

  get onDidChangeHealth(): Event<Health> {
    return this.#healthChanged.event;
  }

  /** Starts the server and does not wait for it. */
  start(): void {
    if (this.#isDisposed) return;
    const client = this.#createClient(() => this.#recover(client));
    this.#client = client;
    this.#setHealth({ state: 'starting' });
    client.onNotification(modelStatus, (status) => {
      if (this.#client === client) this.#setHealth(status);
    });
    for (const listen of this.#listeners) listen(client);
    client.start().catch((error) => {
      this.#log.error(`server: did not start: ${error}`);
      this.#recover(client);
    });
  }

  /** Listens to every server from the next start on. */
  onNotification<P>(type: NotificationType<P>, listener: (params: P) => void): void {
    this.#listeners.push((client) => {
      client.onNotification(type, (params) => {
        if (this.#client === client) listener(params);
      });
    });
  }

  /**
   * Asks the server. An error of its own is told to the writer, and thrown.
   *
   * @throws Error while there is no server
   */
  request<P, R>(
    type: RequestType<P, R, ErrorData>,
    params: RequestParam<P>,
    token?: CancellationToken,
  ): Promise<R> {
    const client = this.#client;
    if (client === undefined) {
      return Promise.reject(
        new Error(l10n.t('The language server of Thoughtline is not running.')),
      );
    }
    return client.sendRequest(type, params, token);
  }

  /** Stops the server, in whatever state it is, and starts it again. */
  restart(): Promise<void> {
    this.#restarting ??= this.#stopAndStart().finally(() => {
      this.#restarting = undefined;
    });
    return this.#restarting;
  }

  /**
   * Asks for something that the writer waits for.
   *
   * @returns undefined when it was cancelled, or failed: then the writer was told, and the log
   */
  ask<P extends object, R>(
    type: RequestType<P, R, ErrorData>,
    params: P,
    options: AskOptions = {},
  ): Promise<R | undefined> {
    return this.#ask(type.method, params, options);
  }

  /**
   * Runs a command of the server (`serverCommands`) that the writer waits for.
   *
   * @returns what it answers; undefined when it failed: then the writer was told, and the log
   */
  run<R>(command: string, params?: object, options: AskOptions = {}): Promise<R | undefined> {
    const all = { command, arguments: params === undefined ? [] : [params] };
    return this.#ask(ExecuteCommandRequest.method, all, options);
  }

  async #ask<R>(
    method: string,
    params: object,
    { cancellation, onProgress }: AskOptions,
  ): Promise<R | undefined> {
    const client = this.#client;
    if (client === undefined) {
      this.#notifier.report('serverStopped');
      return undefined;
    }
    // The writer has asked for it: what goes wrong is news again.
    this.#notifier.forget();
    const workDoneToken = randomUUID();
    const progress = client.onProgress(WorkDoneProgress.type, workDoneToken, (value) => {
      if (value.kind !== 'end') onProgress?.(value);
    });
    try {
      const all = onProgress === undefined ? params : { ...params, workDoneToken };
      return await client.sendRequest<R>(method, all, cancellation);
    } catch (error) {
      if (!cancellation?.isCancellationRequested) this.#log.error(`${method}: ${error}`);
      return undefined;
    } finally {
      progress.dispose();
    }
  }

  dispose(): void {
    this.#isDisposed = true;
    void this.#stop();
    this.#healthChanged.dispose();
  }

  async #stopAndStart(): Promise<void> {
    this.#restarts.reset();
    this.#notifier.forget();
    await this.#stop();
    this.start();
  }

  async #stop(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    if (client === undefined) return;
    const { serverProcess } = client;
    if (client.state !== State.Running) {
      // The library can only stop what has started.
      serverProcess?.kill();
      return;
    }
    await client.stop().catch((error) => {
      this.#log.warn(`server: did not stop when asked: ${error}`);
      serverProcess?.kill();
    });
  }

  /** A connection was lost that was still wanted. */
  #recover(client: QuietClient): void {
    if (this.#client !== client) return;
    client.serverProcess?.kill();
    this.#client = undefined;
    if (this.#restarts.mayRestart(performance.now())) {
      this.#log.warn('server: went away and is started again');
      this.start();
      return;
    }
    this.#log.error('server: went away too often and is not started again');
    this.#setHealth({ state: 'stopped' });
    this.#notifier.report('serverStopped');
  }

  #setHealth(health: Health): void {
    if (health.state === 'ready') this.#notifier.forget();
    if (health.state === 'missing') this.#notifier.report('modelMissing');
    if (health.state === 'failed') {
      this.#log.error(`model: ${health.code}: ${health.message}`);
      this.#notifier.report(health.code);
    }
    this.#healthChanged.fire(health);
  }

  #createClient(onLost: () => void): QuietClient {
    const { extensionUri, globalStorageUri } = this.#context;
    const module = this.#context.asAbsolutePath('dist/server.js');
    const initializationOptions: InitializationOptions = { storageFolder: globalStorageUri.fsPath };
    const errorHandler: ErrorHandler = {
      error: (_error, _message, count = 0) => ({
        action: count <= maxConnectionErrors ? ErrorAction.Continue : ErrorAction.Shutdown,
        handled: true,
      }),
      closed: () => {
        onLost();
        const message = 'server: connection closed';
        return { action: CloseAction.DoNotRestart, message, handled: true };
      },
    };
    const options: LanguageClientOptions = {
      documentSelector: languageIds.flatMap((language) =>
        schemes.map((scheme) => ({ language, scheme })),
      ),
      outputChannel: this.#log,
      revealOutputChannelOn: RevealOutputChannelOn.Never,
      initializationOptions,
      // False: no second attempt on the same connection.
      initializationFailedHandler: () => false,
      errorHandler,
      middleware: {
        ...this.#middleware,
        sendRequest: this.#sendRequest,
        workspace: { configuration: readConfiguration },
      },
    };
    const server = {
      module,
      transport: TransportKind.ipc,
      // Not the writer's folder, which a running process would lock on Windows.
      options: { cwd: extensionUri.fsPath },
    };
    return new QuietClient('thoughtline', 'Thoughtline', server, options);
  }

  /** The wall: an error of the server becomes words here, whichever request met it. */
  readonly #sendRequest: NonNullable<Middleware['sendRequest']> = async (
    type,
    param,
    token,
    next,
  ) => {
    try {
      return await next(type, param, token);
    } catch (error) {
      if (error instanceof ResponseError && isErrorData(error.data)) {
        this.#notifier.report(error.data.code);
      }
      throw error;
    }
  };
}

/** The library's client without its own notifications: what the writer reads is `notify.ts`'s. */
class QuietClient extends LanguageClient {
  override error(message: string, data?: unknown): void {
    super.error(message, data, false);
  }
}

/**
 * Answers `workspace/configuration` as the library does, and with what is set for the language of
 * an open document: from its URI alone the editor cannot tell it.
 */
const readConfiguration: ConfigurationRequest.MiddlewareSignature = ({ items }) =>
  items.map(({ scopeUri, section = '' }) => {
    const document = workspace.textDocuments.find(({ uri }) => uri.toString() === scopeUri);
    const scope = document ?? (scopeUri === undefined ? undefined : Uri.parse(scopeUri));
    return workspace.getConfiguration(undefined, scope).get(section) ?? null;
  });

function isErrorData(data: unknown): data is ErrorData {
  return typeof data === 'object' && data !== null && 'code' in data && 'retryable' in data;
}
