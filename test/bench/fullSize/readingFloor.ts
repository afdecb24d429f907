import { Worker } from 'node:worker_threads';

/*
 * How long this machine takes to read so many bytes: the floor of a decoding step, which looks at
 * every weight once. Each thread has its share in two equal halves and compares them; the
 * comparison is the C library's, in vector instructions, and waits for nothing but memory.
 */

/** Starts threads that each read their share whenever they are told. */
export class ReadingFloor {
  readonly #workers: readonly Worker[];

  static async start(sizeBytes: number, numThreads: number): Promise<ReadingFloor> {
    const halfBytes = Math.floor(sizeBytes / numThreads / 2);
    const workers = Array.from({ length: numThreads }, () => {
      return new Worker(readerScript, { eval: true, workerData: halfBytes });
    });
    const floor = new ReadingFloor(workers);
    await floor.read(); // the first round also makes the bytes
    return floor;
  }

  private constructor(workers: readonly Worker[]) {
    this.#workers = workers;
  }

  /** Reads everything once. */
  async read(): Promise<void> {
    await Promise.all(
      this.#workers.map((worker) => {
        worker.postMessage(null);
        return new Promise((resolve, reject) => {
          worker.once('message', resolve);
          worker.once('error', reject);
        });
      }),
    );
  }

  async stop(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}

const readerScript = `
  const { parentPort, workerData } = require('node:worker_threads');
  const one = Buffer.alloc(workerData, 1);
  const other = Buffer.alloc(workerData, 1);
  parentPort.on('message', () => parentPort.postMessage(one.equals(other)));
`;
