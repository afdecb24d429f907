import type { ModelStatus } from '../protocol/server.ts';
import { ConceptError, isAbortError, ModelMissingError } from './base/errors.ts';
import type { Logger } from './base/logger.ts';
import { chooseConceptModel } from './features/sampling.ts';
import type { Inference, LoadedModel, LoadOptions } from './inference/inference.ts';
import type { PrepareOptions } from './store/modelCompiler.ts';

/** Finds a model and its add-ons, compiling the model first where that is needed. */
export type PrepareModel = (
  name: string,
  options: PrepareOptions,
) => Promise<{ folder: string; addOns: readonly string[] }>;

/** Brings a model from files to readiness, and tells its health on every change. */
export class ModelHost {
  readonly #inference: Inference;
  readonly #prepare: PrepareModel;
  readonly #logger: Logger;
  readonly #onStatus: (status: ModelStatus) => void;
  readonly #onModel: (model: LoadedModel | null) => void;
  #status: ModelStatus = { state: 'missing' };
  #model: LoadedModel | null = null;
  #wanted = '';
  #loading = new AbortController();
  #isSettled = false;
  #waiting: (() => void)[] = [];

  constructor(parts: {
    inference: Inference;
    prepare: PrepareModel;
    logger: Logger;
    onStatus: (status: ModelStatus) => void;
    onModel: (model: LoadedModel | null) => void;
  }) {
    this.#inference = parts.inference;
    this.#prepare = parts.prepare;
    this.#logger = parts.logger;
    this.#onStatus = parts.onStatus;
    this.#onModel = parts.onModel;
  }

  /**
   * Loads a model in place of the one before; a load that is still under way gives up.
   * Failures become the status: nothing is thrown.
   *
   * @param name  of an installed model, or a model folder; empty means the built-in model
   */
  async load(name: string, options: LoadOptions): Promise<void> {
    this.#loading.abort();
    this.#loading = new AbortController();
    const { signal } = this.#loading;
    this.#isSettled = false;
    this.#useModel(null);
    try {
      this.#setStatus({ state: 'loading' });
      const { folder, addOns } = await this.#prepare(name, {
        device: options.device,
        onProgress: (fraction, label) => this.#setStatus({ state: 'preparing', fraction, label }),
        signal,
      });
      this.#setStatus({ state: 'loading' });
      const model = await this.#inference.load(folder, { ...options, addOns }, signal);
      signal.throwIfAborted();
      this.#useModel(model);
      this.#setStatus({
        state: 'ready',
        model: model.name,
        device: model.device,
        deviceNote: model.deviceNote,
        conceptModel: this.#conceptModel(model),
        conceptModels: [...model.conceptModels],
        loadMs: model.loadMs,
        lastLatencyMs: null,
        memoryMb: memoryMb(),
      });
    } catch (error) {
      if (isAbortError(error)) return;
      this.#logger.error(`loading the model failed: ${String(error)}`);
      if (error instanceof ModelMissingError) this.#setStatus({ state: 'missing' });
      else this.#setStatus({ state: 'failed', code: codeOf(error), message: messageOf(error) });
    }
    this.#isSettled = true;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /**
   * Resolves when the model that was asked for last is ready or has failed. An editor asks once at
   * a place: a question that comes too early is better answered late than with nothing.
   */
  settled(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.reject(signal.reason);
    if (this.#isSettled) return Promise.resolve();
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      this.#waiting.push(resolve);
    });
  }

  /** Takes the name of the concept model that the writer wants. */
  wantConceptModel(name: string): void {
    this.#wanted = name;
    if (this.#status.state !== 'ready' || this.#model === null) return;
    this.#setStatus({ ...this.#status, conceptModel: this.#conceptModel(this.#model) });
  }

  #conceptModel({ conceptModels }: LoadedModel): string {
    return conceptModels.length === 0 ? '' : chooseConceptModel(conceptModels, this.#wanted);
  }

  /** Gives up a load that is under way. */
  cancel(): void {
    this.#loading.abort();
  }

  /** Notes how long an answer took. */
  noteLatency(lastLatencyMs: number): void {
    if (this.#status.state !== 'ready') return;
    this.#setStatus({ ...this.#status, lastLatencyMs, memoryMb: memoryMb() });
  }

  #useModel(model: LoadedModel | null): void {
    this.#model = model;
    this.#onModel(model);
  }

  #setStatus(status: ModelStatus): void {
    this.#status = status;
    this.#onStatus(status);
  }
}

function memoryMb(): number {
  return Math.round(process.memoryUsage.rss() / 2 ** 20);
}

function codeOf(error: unknown) {
  return error instanceof ConceptError ? error.code : 'internal';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
