import { type Tensor, tensor } from '../../tensor/tensor.ts';
import { concatenate } from '../../tensor/vector.ts';
import { type CarriedTensor, isOnHost, releaseTensor } from '../graphSession.ts';

/** The sizes of a causal Transformer's cache. */
export interface CacheShape {
  numLayers: number;
  numAttnHeads: number;
  headDim: number;
}

/** Runs a causal tower on new concepts, given the keys and values of those before. */
export type RunTower = (
  embeddings: readonly Float32Array[],
  pastKeyValues: CarriedTensor<'float32'>,
) => Promise<{ outputs: Float32Array[]; presentKeyValues: CarriedTensor<'float32'> }>;

/**
 * Concepts in one run. It bounds the logits of the attention, [H, S, T], and the time between two
 * looks at the signal.
 */
const maxConceptsPerRun = 128;

interface State {
  context: readonly Float32Array[];
  outputs: readonly Float32Array[];
  keyValues: CarriedTensor<'float32'>;
}

/**
 * A causal tower over concepts that remembers its last context: a context that goes on where the
 * last one stopped, or that differs in its end, costs only what is new. Keys and values on a device
 * cannot be cut, so there a context that differs in its end is run anew.
 */
export class CachedTower {
  readonly #shape: CacheShape;
  readonly #run: RunTower;
  #state: State;

  constructor(shape: CacheShape, run: RunTower) {
    this.#shape = shape;
    this.#run = run;
    this.#state = emptyState(shape);
  }

  /**
   * Returns the tower's output at every concept; the same array for the same context.
   *
   * @param context  embeddings in the tower's space, [E] each
   */
  async outputs(
    context: readonly Float32Array[],
    signal?: AbortSignal,
  ): Promise<readonly Float32Array[]> {
    return (await this.#read(context, signal)).outputs;
  }

  /** Returns the keys and values of a context, which stay the tower's. */
  async keyValues(
    context: readonly Float32Array[],
    signal?: AbortSignal,
  ): Promise<CarriedTensor<'float32'>> {
    return (await this.#read(context, signal)).keyValues;
  }

  async #read(context: readonly Float32Array[], signal?: AbortSignal): Promise<State> {
    this.#keep(commonPrefix(this.#state.context, context));
    for (
      let start = this.#state.context.length;
      start < context.length;
      start += maxConceptsPerRun
    ) {
      signal?.throwIfAborted();
      const added = context.slice(start, start + maxConceptsPerRun);
      const past = this.#state.keyValues;
      const { outputs, presentKeyValues } = await this.#run(added, past);
      releaseTensor(past);
      this.#state = {
        context: context.slice(0, start + added.length),
        outputs: [...this.#state.outputs, ...outputs],
        keyValues: presentKeyValues,
      };
    }
    return this.#state;
  }

  /** Forgets everything. */
  dispose(): void {
    releaseTensor(this.#state.keyValues);
    this.#state = emptyState(this.#shape);
  }

  /** Forgets what follows the first `length` concepts. */
  #keep(length: number): void {
    const { context, outputs, keyValues } = this.#state;
    if (length === context.length) return;
    if (!isOnHost(keyValues)) {
      this.dispose();
      return;
    }
    this.#state = {
      context: context.slice(0, length),
      outputs: outputs.slice(0, length),
      keyValues: truncateKeyValues(keyValues, length),
    };
  }
}

function emptyState(shape: CacheShape): State {
  return { context: [], outputs: [], keyValues: emptyKeyValues(shape) };
}

/** Returns keys and values of no concept, [L, 2, 1, H, 0, K]. */
export function emptyKeyValues(shape: CacheShape, batch = 1): Tensor<'float32'> {
  const { numLayers, numAttnHeads, headDim } = shape;
  return tensor('float32', [numLayers, 2, batch, numAttnHeads, 0, headDim], new Float32Array(0));
}

/** Joins vectors to a batch of one sequence, [1, S, E]. */
export function oneSequence(vectors: readonly Float32Array[]): Tensor<'float32'> {
  return tensor('float32', [1, vectors.length, vectors[0]?.length ?? 0], concatenate(vectors));
}

function commonPrefix(a: readonly Float32Array[], b: readonly Float32Array[]): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    if (!isSame(a[i] as Float32Array, b[i] as Float32Array)) return i;
  }
  return length;
}

function isSame(a: Float32Array, b: Float32Array): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}

/** Keeps the first `length` positions of [L, 2, N, H, T, K]. */
function truncateKeyValues(keyValues: Tensor<'float32'>, length: number): Tensor<'float32'> {
  const [layers = 0, two = 0, batch = 0, heads = 0, past = 0, headDim = 0] = keyValues.shape;
  const kept = new Float32Array(layers * two * batch * heads * length * headDim);
  for (let row = 0; row < layers * two * batch * heads; row++) {
    const start = row * past * headDim;
    kept.set(keyValues.data.subarray(start, start + length * headDim), row * length * headDim);
  }
  return tensor('float32', [layers, two, batch, heads, length, headDim], kept);
}
