import type { MessagePort } from 'node:worker_threads';
import { InvalidRequestError } from '../base/errors.ts';
import { type Priority, TaskQueue } from '../base/queue.ts';
import { toWireError } from '../base/wireError.ts';
import type {
  DecodedSentence,
  DecodeRequest,
  EncodeRequest,
  LoadedModel,
  LoadOptions,
  PredictRequest,
} from './inference.ts';
import {
  type Call,
  type MessageFromWorker,
  type MessageToWorker,
  type Method,
  type MethodParams,
  type MethodResult,
  transferList,
} from './messages.ts';

export type ModelInfo = Omit<LoadedModel, 'loadMs'>;

/** What the inference thread asks of a model. */
export interface InferenceModel {
  readonly info: ModelInfo;
  /** Pauses after each batch; then other work may be done. */
  encode(request: EncodeRequest): AsyncGenerator<undefined, Float32Array[]>;
  /** Pauses as `encode` does. */
  entropies(texts: readonly string[]): AsyncGenerator<undefined, Float32Array[]>;
  surprisals(texts: readonly string[]): AsyncGenerator<undefined, Float32Array[]>;
  decode(request: DecodeRequest, signal: AbortSignal): Promise<DecodedSentence[]>;
  predict(request: PredictRequest, signal: AbortSignal): Promise<Float32Array[]>;
  dispose(): Promise<void>;
}

export type LoadModel = (
  folder: string,
  options: LoadOptions,
  signal: AbortSignal,
) => Promise<InferenceModel>;

/**
 * Answers requests in the inference thread, one at a time. Encoding gives way to a prediction or a
 * decoding after each batch.
 *
 * ONNX Runtime blocks the thread while a graph runs, but starts each run from the event loop, so
 * messages arrive between two runs: there a cancelled request stops.
 */
export class InferenceServer {
  readonly #port: MessagePort;
  readonly #loadModel: LoadModel;
  readonly #queue = new TaskQueue();
  readonly #active = new Map<number, AbortController>();
  #model: InferenceModel | null = null;

  constructor(port: MessagePort, loadModel: LoadModel) {
    this.#port = port;
    this.#loadModel = loadModel;
    port.on('message', (message: MessageToWorker) => this.#receive(message));
  }

  #receive(message: MessageToWorker): void {
    switch (message.kind) {
      case 'request':
        void this.#answer(message.id, message.call);
        return;
      case 'cancel':
        this.#active.get(message.id)?.abort();
        return;
      case 'stop':
        void this.#stop();
        return;
    }
  }

  async #answer(id: number, call: Call): Promise<void> {
    // A new model takes the place of the one that the requests under way were meant for.
    if (call.method === 'load') this.#abortAll();
    const controller = new AbortController();
    this.#active.set(id, controller);
    try {
      const result = await this.#perform(call, controller.signal);
      this.#send({ kind: 'result', id, result }, transferList(result));
    } catch (error) {
      this.#send({ kind: 'error', id, error: toWireError(error) });
    } finally {
      this.#active.delete(id);
    }
  }

  async #perform(call: Call, signal: AbortSignal): Promise<MethodResult<Method>> {
    switch (call.method) {
      case 'load':
        return this.#run('urgent', () => this.#load(call.params, signal), signal);
      case 'encode':
        return this.#inBatches((model) => model.encode(call.params), signal);
      case 'entropies':
        return this.#inBatches((model) => model.entropies(call.params), signal);
      case 'surprisals':
        return this.#inBatches((model) => model.surprisals(call.params), signal);
      case 'decode':
        return this.#run('urgent', () => this.#loaded().decode(call.params, signal), signal);
      case 'predict':
        return this.#run('urgent', () => this.#loaded().predict(call.params, signal), signal);
    }
  }

  /** Lets others go first after each batch. */
  async #inBatches<T>(
    start: (model: InferenceModel) => AsyncGenerator<undefined, T>,
    signal: AbortSignal,
  ): Promise<T> {
    let batches: AsyncGenerator<undefined, T> | undefined;
    const next = () => {
      batches ??= start(this.#loaded());
      return batches.next();
    };
    for (;;) {
      const { done, value } = await this.#run('background', next, signal);
      if (done) return value;
    }
  }

  #run<T>(priority: Priority, task: () => Promise<T>, signal: AbortSignal): Promise<T> {
    return this.#queue.run(priority, async () => task(), signal);
  }

  /** The model before goes first: two large ones may not fit into memory. */
  async #load(
    { folder, options }: MethodParams['load'],
    signal: AbortSignal,
  ): Promise<LoadedModel> {
    const start = performance.now();
    await this.#dispose();
    this.#model = await this.#loadModel(folder, options, signal);
    return { ...this.#model.info, loadMs: performance.now() - start };
  }

  #loaded(): InferenceModel {
    if (this.#model !== null) return this.#model;
    throw new InvalidRequestError('inference: expected a loaded model, found none');
  }

  async #stop(): Promise<void> {
    this.#abortAll();
    await this.#queue.run('urgent', () => this.#dispose());
    this.#port.close();
  }

  async #dispose(): Promise<void> {
    const model = this.#model;
    this.#model = null;
    await model?.dispose();
  }

  #abortAll(): void {
    for (const controller of this.#active.values()) controller.abort();
  }

  #send(message: MessageFromWorker, transfer: ArrayBuffer[] = []): void {
    this.#port.postMessage(message, transfer);
  }
}
