import { Worker } from 'node:worker_threads';
import { ConceptError } from '../base/errors.ts';
import { fromWireError } from '../base/wireError.ts';
import type { Manifest } from '../model/manifest.ts';
import type { ModelSources } from '../model/modelSources.ts';
import type { CompileOptions } from './compile.ts';
import { type CompileMessage, cancelMessage } from './compileMessages.ts';
import { type CompileRequest, sourceDigest } from './compileRequest.ts';

/** The compiler, as the main thread sees it. Each compilation has a worker thread of its own. */
export class CompileClient {
  readonly #workerFile: string;

  /** @param workerFile  the bundle of compileWorker.ts */
  constructor(workerFile: string) {
    this.#workerFile = workerFile;
  }

  /** See `sourceDigest`: it reads files in small pieces and needs no thread. */
  sourceDigest(sources: ModelSources, signal?: AbortSignal): Promise<string> {
    return sourceDigest(sources, signal);
  }

  /**
   * Compiles a model; see `compileModel`.
   *
   * @throws what `compileModel` throws, and the reason of the signal once the thread has stopped
   */
  async compile(request: CompileRequest, options: CompileOptions = {}): Promise<Manifest> {
    const { onProgress, signal } = options;
    signal?.throwIfAborted();
    const worker = new Worker(this.#workerFile, { workerData: request });
    const cancel = () => worker.postMessage(cancelMessage);
    signal?.addEventListener('abort', cancel);
    try {
      return await this.#listen(worker, onProgress);
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
  }

  #listen(worker: Worker, onProgress: CompileOptions['onProgress']): Promise<Manifest> {
    return new Promise((resolve, reject) => {
      worker.on('message', (message: CompileMessage) => {
        if (message.type === 'progress') onProgress?.(message.fraction, message.label);
        else if (message.type === 'done') resolve(message.manifest);
        else reject(fromWireError(message.error));
      });
      worker.on('error', reject);
      worker.on('exit', (status) => {
        const message = `compileWorker: expected an answer, found the thread ended (${status})`;
        reject(new ConceptError('internal', message));
      });
    });
  }
}
