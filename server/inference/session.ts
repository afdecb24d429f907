import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { assert, MemoryError, SessionError } from '../base/errors.ts';
import type { GraphEntry } from '../model/manifest.ts';
import type { DataType, Tensor } from '../tensor/tensor.ts';
import type { ExecutionProvider } from './devices.ts';
import {
  type CarriedTensor,
  type DeviceTensor,
  type GraphSession,
  isOnHost,
  type Signature,
  type ValueType,
} from './graphSession.ts';
import { int8ProductGraph, isExact, largestBytes } from './int8Products.ts';

export interface SessionOptions {
  /** In the order in which they are tried for each node. */
  executionProviders: readonly ExecutionProvider[];
  /** Whether carried outputs stay on the device. */
  keepsTensors?: boolean;
  /** Threads of one operator; `defaultThreadCount()` when absent. */
  intraOpNumThreads?: number;
  /** Whether int8 products must be kept from saturating, see `int8ProductsSaturate`. */
  avoidsSaturation?: boolean;
}

/**
 * Returns how many threads one operator uses: the physical cores, guessed at half the logical ones
 * where there are many, and at most 4, because small matrices gain nothing from more.
 */
export function defaultThreadCount(logicalCores = availableParallelism()): number {
  return logicalCores <= 4 ? logicalCores : Math.min(4, Math.ceil(logicalCores / 2));
}

/** Tells whether this processor cuts sums of int8 products, by computing one. */
export async function int8ProductsSaturate(): Promise<boolean> {
  if (process.arch !== 'x64') return false;
  const { a, b, scales, size } = largestBytes;
  return named('int8 product', async () => {
    const session = await ort.InferenceSession.create(int8ProductGraph());
    try {
      const { product } = await session.run({
        a: new ort.Tensor('uint8', a, [size, size]),
        b: new ort.Tensor('int8', b, [size, size]),
        scales: new ort.Tensor('float32', scales, [size]),
      });
      return !isExact(product?.data as Float32Array); // as the graph says
    } finally {
      await session.release();
    }
  });
}

/** A compiled graph in ONNX Runtime: the only door to it. */
export class OnnxSession<S extends Signature> implements GraphSession<S> {
  readonly #label: string;
  readonly #session: ort.InferenceSession;
  /** Whether some outputs stay on the device. */
  readonly #keepsTensors: boolean;

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
    const keepsTensors = options.keepsTensors === true && hasCarried(signature);
    const session = await named(label, () =>
      ort.InferenceSession.create(join(folder, entry.model.file), {
        executionProviders: [...options.executionProviders],
        ...(keepsTensors ? { preferredOutputLocation: locations(signature) } : {}),
        graphOptimizationLevel: 'all',
        executionMode: 'sequential',
        intraOpNumThreads: options.intraOpNumThreads ?? defaultThreadCount(),
        interOpNumThreads: 1,
        // Without it every activation is mapped anew, page by page: at SONAR size runs took up to
        // four times as long, and never the same time twice.
        enableCpuMemArena: true,
        enableMemPattern: false,
        logSeverityLevel: 4, // fatal: what fails is thrown, in the same words
        extra: {
          session: {
            // Threads that spin while they wait made predictions six times slower on a busy machine.
            intra_op: { allow_spinning: '0' },
            x64quantprecision: options.avoidsSaturation === true ? '1' : '0',
          },
        },
      }),
    );
    try {
      checkValues(label, 'input', session.inputMetadata, signature.inputs);
      checkValues(label, 'output', session.outputMetadata, signature.outputs);
    } catch (error) {
      await session.release();
      throw error;
    }
    return new OnnxSession(label, session, keepsTensors);
  }

  private constructor(label: string, session: ort.InferenceSession, keepsTensors: boolean) {
    this.#label = label;
    this.#session = session;
    this.#keepsTensors = keepsTensors;
  }

  async run(
    feeds: Readonly<Record<string, CarriedTensor>>,
    fetches: readonly string[],
  ): Promise<Awaited<ReturnType<GraphSession<S>['run']>>> {
    const inputs: Record<string, ort.Tensor> = {};
    for (const [name, value] of Object.entries(feeds)) inputs[name] = toOrt(value);
    // With outputs that stay on the device, ONNX Runtime's binding for Node keeps the list of the
    // first run, and takes the i-th output that is fetched to be the graph's i-th: so all are.
    const all = this.#keepsTensors ? this.#session.outputNames : fetches;
    const outputs = await named(this.#label, () => this.#session.run(inputs, all));
    const results: Record<string, CarriedTensor> = {};
    for (const [name, value] of Object.entries(outputs)) {
      if (fetches.includes(name)) results[name] = fromOrt(value);
      else value.dispose();
    }
    // The signature was checked when the session was made, so the names and types are these.
    return results as Awaited<ReturnType<GraphSession<S>['run']>>;
  }

  async dispose(): Promise<void> {
    await this.#session.release();
  }
}

/** A tensor that ONNX Runtime holds on a device. Reading it would abort the process. */
class OrtDeviceTensor implements DeviceTensor {
  readonly type: DataType;
  readonly shape: readonly number[];
  #tensor: ort.Tensor | null;

  constructor(tensor: ort.Tensor) {
    this.type = tensor.type as DataType;
    this.shape = tensor.dims;
    this.#tensor = tensor;
  }

  get tensor(): ort.Tensor {
    assert(this.#tensor !== null, 'tensor on a device: expected it to be alive, found it disposed');
    return this.#tensor;
  }

  dispose(): void {
    this.tensor.dispose();
    this.#tensor = null;
  }
}

/** Wraps without copying. */
function toOrt(value: CarriedTensor): ort.Tensor {
  if (isOnHost(value)) return new ort.Tensor(value.type, value.data, value.shape);
  assert(value instanceof OrtDeviceTensor, 'tensor on a device: expected one of ONNX Runtime');
  return value.tensor;
}

/** Wraps without copying. */
function fromOrt(tensor: ort.Tensor): CarriedTensor {
  if (tensor.location === 'gpu-buffer') return new OrtDeviceTensor(tensor);
  const { type, data, dims } = tensor;
  return { type: type as DataType, data: data as Tensor['data'], shape: dims };
}

function hasCarried({ outputs }: Signature): boolean {
  return Object.values(outputs).some(({ isCarried }) => isCarried);
}

function locations({ outputs }: Signature): Record<string, 'gpu-buffer' | 'cpu'> {
  return Object.fromEntries(
    Object.entries(outputs).map(([name, { isCarried }]) => [
      name,
      isCarried ? 'gpu-buffer' : 'cpu',
    ]),
  );
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
