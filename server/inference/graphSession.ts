import type { DataType, Tensor } from '../tensor/tensor.ts';

/*
 * What the inference asks of a compiled graph, and the inputs and outputs of each graph as
 * `model/manifest.ts` tells them. The types of feeds and results follow from a signature.
 *
 * What one run leaves for the next, such as keys and values, is carried: nobody reads it, so it may
 * stay on the device where the graph runs. Whoever holds a carried tensor releases it, once.
 */

export interface ValueType {
  readonly type: DataType;
  readonly rank: number;
  /** Whether it goes from run to run unread. */
  readonly isCarried?: true;
}

/** A tensor in the memory of a device: it can be fed to a graph there, and read by nobody. */
export interface DeviceTensor<T extends DataType = DataType> {
  readonly type: T;
  readonly shape: readonly number[];
  /** Gives the memory back. */
  dispose(): void;
}

export type CarriedTensor<T extends DataType = DataType> = Tensor<T> | DeviceTensor<T>;

/** Tells whether a carried tensor can be read. */
export function isOnHost<T extends DataType>(value: CarriedTensor<T>): value is Tensor<T> {
  return 'data' in value;
}

/** Gives the memory of a carried tensor back, once it will not be fed again. */
export function releaseTensor(value: CarriedTensor): void {
  if (!isOnHost(value)) value.dispose();
}

export interface Signature {
  readonly inputs: Readonly<Record<string, ValueType>>;
  readonly outputs: Readonly<Record<string, ValueType>>;
}

type Values<V extends Readonly<Record<string, ValueType>>> = {
  readonly [Name in keyof V]: V[Name] extends { readonly isCarried: true }
    ? CarriedTensor<V[Name]['type']>
    : Tensor<V[Name]['type']>;
};

/** A compiled graph, ready to run. */
export interface GraphSession<S extends Signature> {
  /**
   * Runs the graph and returns the outputs that `fetches` names.
   *
   * @throws SessionError when the runtime refuses
   * @throws MemoryError when there is not enough memory
   */
  run<Name extends keyof S['outputs'] & string>(
    feeds: Values<S['inputs']>,
    fetches: readonly Name[],
  ): Promise<Pick<Values<S['outputs']>, Name>>;
  /** Gives the memory back. */
  dispose(): Promise<void>;
}

const float32 = <R extends number>(rank: R) => ({ type: 'float32', rank }) as const;
const carried = <R extends number>(rank: R) =>
  ({ type: 'float32', rank, isCarried: true }) as const;
const int64 = <R extends number>(rank: R) => ({ type: 'int64', rank }) as const;

export const encoderSignature = {
  inputs: { input_ids: int64(2), attention_mask: int64(2) },
  outputs: { sentence_embedding: float32(2) },
} as const satisfies Signature;

export const entropySignature = {
  inputs: { input_ids: int64(2) },
  outputs: { entropy: float32(2), surprisal: float32(2) },
} as const satisfies Signature;

export const prepareSignature = {
  inputs: { sentence_embedding: float32(2) },
  outputs: { encoder_hidden_states: float32(3) },
} as const satisfies Signature;

export const stepSignature = {
  inputs: {
    input_ids: int64(2),
    ancestors: int64(2),
    encoder_hidden_states: float32(3),
    past_key_values: carried(4),
    kept_from: int64(1),
    top_count: int64(1),
    temperature: float32(1),
    scored_tokens: int64(1),
  },
  outputs: {
    top_log_probs: float32(2),
    top_tokens: int64(2),
    scored_log_probs: float32(2),
    present_key_values: carried(4),
  },
} as const satisfies Signature;

export const regressionLcmSignature = {
  inputs: { sentence_embedding: float32(3), past_key_values: carried(6) },
  outputs: { next_embedding: float32(3), present_key_values: carried(6) },
} as const satisfies Signature;

export const slotLcmSignature = {
  inputs: {
    sentence_embedding: float32(3),
    condition: int64(1),
    is_conditional: float32(1),
    past_key_values: carried(6),
  },
  outputs: { prediction: float32(3), present_key_values: carried(6) },
} as const satisfies Signature;

export const contextSignature = {
  inputs: { sentence_embedding: float32(3), past_key_values: carried(6) },
  outputs: { encoder_hidden_states: float32(3), present_key_values: carried(6) },
} as const satisfies Signature;

export const crossAttentionSignature = {
  inputs: { encoder_hidden_states: float32(3) },
  outputs: { cross_key_values: carried(6) },
} as const satisfies Signature;

export const denoiserSignature = {
  inputs: {
    latents: float32(2),
    timestep: int64(1),
    is_conditional: float32(1),
    cross_key_values: carried(6),
  },
  outputs: { prediction: float32(2) },
} as const satisfies Signature;
