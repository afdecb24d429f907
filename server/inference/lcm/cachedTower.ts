import { type Tensor, tensor } from '../../tensor/tensor.ts';
import { concatenate } from '../../tensor/vector.ts';

/** The sizes of a causal Transformer's cache. */
export interface CacheShape {
  numLayers: number;
  numAttnHeads: number;
  headDim: number;
}

/** Runs a causal tower on new concepts, given the keys and values of those before. */
export type RunTower = (
  embeddings: readonly Float32Array[],
  pastKeyValues: Tensor<'float32'>,
) => Promise<{ outputs: Float32Array[]; presentKeyValues: Tensor<'float32'> }>;

/**
 * Concepts in one run. It bounds the logits of the attention, [H, S, T], and the time between two
 * looks at the signal.
 */
const maxConceptsPerRun = 128;

interface State {
  context: readonly Float32Array[];
  outputs: readonly Float32Array[];
  keyValues: Tensor<'float32'>;
}

/**
 * A causal tower over concepts that remembers its last context: a context that goes on where the
 * last one stopped, or that differs in its end, costs only what is new.
 */
export class CachedTower {
  readonly #run: RunTower;
  #state: State;

  constructor(shape: CacheShape, run: RunTower) {
    this.#run = run;
    this.#state = { context: [], outputs: [], keyValues: emptyKeyValues(shape) };
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
    const known = commonPrefix(this.#state.context, context);
    if (known < this.#state.context.length) this.#state = truncate(this.#state, known);
    for (let start = known; start < context.length; start += maxConceptsPerRun) {
      signal?.throwIfAborted();
      const added = context.slice(start, start + maxConceptsPerRun);
      const { outputs, presentKeyValues } = await this.#run(added, this.#state.keyValues);
      this.#state = {
        context: context.slice(0, start + added.length),
        outputs: [...this.#state.outputs, ...outputs],
        keyValues: presentKeyValues,
      };
    }
    return this.#state.outputs;
  }
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

function truncate({ context, outputs, keyValues }: State, length: number): State {
  return {
    context: context.slice(0, length),
    outputs: outputs.slice(0, length),
    keyValues: truncateKeyValues(keyValues, length),
  };
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
