import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../base/errors.ts';
import { toWireError } from '../base/wireError.ts';
import { compileModel } from './compile.ts';
import { type CompileMessage, cancelMessage } from './compileMessages.ts';
import type { CompileRequest } from './compileRequest.ts';

/** Reports of progress that are closer to each other are left out. */
const progressStep = 0.005;

/** Entry of the thread that compiles one model and ends. `CompileClient` starts it. */
async function main(request: CompileRequest): Promise<void> {
  assert(parentPort !== null, 'compileWorker: expected to be a worker thread');
  const port = parentPort;
  const send = (message: CompileMessage) => port.postMessage(message);
  const cancelled = new AbortController();
  port.on('message', (message) => {
    if (message === cancelMessage) cancelled.abort();
  });
  let told = 0;
  const onProgress = (fraction: number, label: string) => {
    if (fraction < 1 && fraction - told < progressStep) return;
    told = fraction;
    send({ type: 'progress', fraction, label });
  };
  try {
    const { signal } = cancelled;
    send({ type: 'done', manifest: await compileModel(request, { onProgress, signal }) });
  } catch (error) {
    send({ type: 'failed', error: toWireError(error) });
  } finally {
    port.close(); // the thread ends when nothing can reach it
  }
}

void main(workerData);
