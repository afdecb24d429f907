import { Worker } from 'node:worker_threads';
import { SessionError } from '../base/errors.ts';
import { fromWireError } from '../base/wireError.ts';
import type {
  DecodedSentence,
  DecodeRequest,
  EncodeRequest,
  Inference,
  LoadedModel,
  LoadOptions,
  PredictRequest,
} from './inference.ts';
import {
  type Call,
  copyEmbeddings,
  type MessageFromWorker,
  type MessageToWorker,
  type Method,
  type MethodParams,
  type MethodResult,
} from './messages.ts';

interface Pending {
  resolve(result: MethodResult<Method>): void;
  reject(reason: unknown): void;
}

/** The inference thread as the main thread sees it. */
export class InferenceClient implements Inference {
  readonly #worker: Worker;
  readonly #stopped: Promise<void>;
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;
  /** Why the thread cannot answer any more. */
  #failure: SessionError | null = null;

  /** @param scriptPath  the bundle of `worker.ts` */
  constructor(scriptPath: string) {
    this.#worker = new Worker(scriptPath);
    this.#worker.on('message', (message: MessageFromWorker) => this.#receive(message));
    this.#worker.on('error', (cause) => {
      this.#fail(
        new SessionError(`inference thread: expected it to run, found it broken: ${cause}`, {
          cause,
        }),
      );
    });
    this.#stopped = new Promise((resolve) => {
      this.#worker.on('exit', (code) => {
        this.#fail(new SessionError(`inference thread: expected it to run, found exit ${code}`));
        resolve();
      });
    });
  }

  load(folder: string, options: LoadOptions, signal?: AbortSignal): Promise<LoadedModel> {
    return this.#request('load', { folder, options }, signal);
  }

  encode(request: EncodeRequest, signal?: AbortSignal): Promise<Float32Array[]> {
    return this.#request('encode', request, signal);
  }

  decode(request: DecodeRequest, signal?: AbortSignal): Promise<DecodedSentence[]> {
    const embeddings = copyEmbeddings(request.embeddings);
    return this.#request('decode', { ...request, embeddings }, signal, embeddings);
  }

  predict(request: PredictRequest, signal?: AbortSignal): Promise<Float32Array[]> {
    const context = copyEmbeddings(request.context);
    return this.#request('predict', { ...request, context }, signal, context);
  }

  entropies(texts: readonly string[], signal?: AbortSignal): Promise<Float32Array[]> {
    return this.#request('entropies', texts, signal);
  }

  surprisals(texts: readonly string[], signal?: AbortSignal): Promise<Float32Array[]> {
    return this.#request('surprisals', texts, signal);
  }

  async dispose(): Promise<void> {
    if (this.#failure === null) this.#post({ kind: 'stop' });
    this.#fail(new SessionError('inference thread: expected it to run, found it disposed'));
    await this.#stopped;
  }

  #request<M extends Method>(
    method: M,
    params: MethodParams[M],
    signal: AbortSignal | undefined,
    owned: readonly Float32Array<ArrayBuffer>[] = [],
  ): Promise<MethodResult<M>> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.#failure !== null) return Promise.reject(this.#failure);
    const id = this.#nextId++;
    const answer = new Promise<MethodResult<Method>>((resolve, reject) => {
      const cancel = () => {
        this.#pending.delete(id);
        this.#post({ kind: 'cancel', id });
        reject(signal?.reason);
      };
      signal?.addEventListener('abort', cancel, { once: true });
      const settle = () => signal?.removeEventListener('abort', cancel);
      this.#pending.set(id, {
        resolve: (result) => {
          settle();
          resolve(result);
        },
        reject: (reason) => {
          settle();
          reject(reason);
        },
      });
    });
    // The two go together, which the compiler cannot see for a method that it does not know yet.
    const call = { method, params } as Call;
    this.#post(
      { kind: 'request', id, call },
      owned.map(({ buffer }) => buffer),
    );
    // The thread answers a method with that method's result.
    return answer as Promise<MethodResult<M>>;
  }

  #receive(message: MessageFromWorker): void {
    const pending = this.#pending.get(message.id);
    if (pending === undefined) return; // cancelled meanwhile
    this.#pending.delete(message.id);
    if (message.kind === 'result') pending.resolve(message.result);
    else pending.reject(fromWireError(message.error));
  }

  #fail(failure: SessionError): void {
    this.#failure ??= failure;
    for (const { reject } of this.#pending.values()) reject(this.#failure);
    this.#pending.clear();
  }

  #post(message: MessageToWorker, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transfer);
  }
}
