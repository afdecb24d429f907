import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { MemoryError, SessionError } from '../base/errors.ts';
import type { GraphEntry } from '../model/manifest.ts';
import type { DataType, Tensor } from '../tensor/tensor.ts';
import type { GraphSession, Signature, ValueType } from './graphSession.ts';

export interface SessionOptions {
  /** In the order in which they are tried for each node. */
  executionProviders: readonly string[];
  /** Threads of one operator; `defaultThreadCount()` when absent. */
  intraOpNumThreads?: number;
}

/**
 * Returns how many threads one operator uses: the physical cores, guessed at half the logical ones
 * where there are many, and at most 4, because small matrices gain nothing from more.
 */
export function defaultThreadCount(logicalCores = availableParallelism()): number {
  return logicalCores <= 4 ? logicalCores : Math.min(4, Math.ceil(logicalCores / 2));
}

/** A compiled graph in ONNX Runtime: the only door to it. */
export class OnnxSession<S extends Signature> implements GraphSession<S> {
  readonly #label: string;
  readonly #session: ort.InferenceSession;

  /**
   * Opens a graph of a model folder and checks what goes in and out of it.
   *
   * @param label  what errors call the graph, such as `decoder step`
   * @throws SessionError when the runtime refuses the graph, or its inputs or outputs are others
   * @throws MemoryError when there is not enough memory
   */
  static async create<S extends Signature>(
    folder: string,
    entry: GraphEntry,
    label: string,
    signature: S,
    options: SessionOptions,
  ): Promise<OnnxSession<S>> {
    const session = await named(label, () =>
      ort.InferenceSession.create(join(folder, entry.model.file), {
        executionProviders: [...options.executionProviders],
        graphOptimizationLevel: 'all',
        executionMode: 'sequential',
        intraOpNumThreads: options.intraOpNumThreads ?? defaultThreadCount(),
        interOpNumThreads: 1,
        enableCpuMemArena: false,
        enableMemPattern: false,
        logSeverityLevel: 4, // fatal: what fails is thrown, in the same words
        // Threads that spin while they wait made predictions six times slower on a busy machine.
        extra: { session: { intra_op: { allow_spinning: '0' } } },
      }),
    );
    try {
      checkValues(label, 'input', session.inputMetadata, signature.inputs);
      checkValues(label, 'output', session.outputMetadata, signature.outputs);
    } catch (error) {
      await session.release();
      throw error;
    }
    return new OnnxSession(label, session);
  }

  private constructor(label: string, session: ort.InferenceSession) {
    this.#label = label;
    this.#session = session;
  }

  async run(
    feeds: Readonly<Record<string, Tensor>>,
    fetches: readonly string[],
  ): Promise<Awaited<ReturnType<GraphSession<S>['run']>>> {
    const inputs: Record<string, ort.Tensor> = {};
    for (const [name, value] of Object.entries(feeds)) inputs[name] = toOrt(value);
    const outputs = await named(this.#label, () => this.#session.run(inputs, fetches));
    const results: Record<string, Tensor> = {};
    for (const [name, value] of Object.entries(outputs)) results[name] = fromOrt(value);
    // The signature was checked when the session was made, so the names and types are these.
    return results as Awaited<ReturnType<GraphSession<S>['run']>>;
  }

  async dispose(): Promise<void> {
    await this.#session.release();
  }
}

/** Wraps without copying. */
function toOrt({ type, data, shape }: Tensor): ort.Tensor {
  return new ort.Tensor(type, data, shape);
}

/** Wraps without copying. */
function fromOrt({ type, data, dims }: ort.Tensor): Tensor {
  return { type: type as DataType, data: data as Tensor['data'], shape: dims };
}

function checkValues(
  label: string,
  kind: 'input' | 'output',
  found: readonly ort.InferenceSession.ValueMetadata[],
  expected: Readonly<Record<string, ValueType>>,
): void {
  const names = Object.keys(expected);
  const foundNames = found.map(({ name }) => name);
  if (names.toSorted().join() !== foundNames.toSorted().join()) {
    throw new SessionError(
      `${label}: expected ${kind}s ${names.join(', ')}, found ${foundNames.join(', ')}`,
    );
  }
  for (const value of found) {
    const { type, rank } = expected[value.name] as ValueType; // its name is among the expected
    if (value.isTensor && value.type === type && value.shape.length === rank) continue;
    const what = value.isTensor ? `${value.type} of rank ${value.shape.length}` : 'no tensor';
    throw new SessionError(
      `${label}: ${kind} ${value.name}: expected ${type} of rank ${rank}, found ${what}`,
    );
  }
}

/** Gives errors of the runtime the name of the graph. */
async function named<T>(label: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    const isOutOfMemory = /bad_alloc|bad allocation|out of memory|failed to allocate/i.test(
      message,
    );
    if (isOutOfMemory) throw new MemoryError(`${label}: not enough memory`, { cause });
    throw new SessionError(`${label}: ONNX Runtime refused: ${message}`, { cause });
  }
}
