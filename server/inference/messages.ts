import type { WireError } from '../base/wireError.ts';
import type {
  DecodeRequest,
  EncodeRequest,
  Inference,
  LoadOptions,
  PredictRequest,
} from './inference.ts';

/*
 * What crosses the wall between the main thread and the inference thread. Embeddings are transferred, each in a buffer of its own.
 */

/** The arguments of each method of `Inference`, without the signal. */
export interface MethodParams {
  load: { folder: string; options: LoadOptions };
  encode: EncodeRequest;
  decode: DecodeRequest;
  predict: PredictRequest;
  entropies: readonly string[];
  surprisals: readonly string[];
}

export type Method = keyof MethodParams;

export type MethodResult<M extends Method> = Awaited<ReturnType<Inference[M]>>;

/** A method with its parameters. */
export type Call = { [M in Method]: { method: M; params: MethodParams[M] } }[Method];

export type MessageToWorker =
  | { kind: 'request'; id: number; call: Call }
  | { kind: 'cancel'; id: number }
  | { kind: 'stop' };

export type MessageFromWorker =
  | { kind: 'result'; id: number; result: MethodResult<Method> }
  | { kind: 'error'; id: number; error: WireError };

/** Returns the buffers of the embeddings of a result, which the sender no longer needs. */
export function transferList(result: MethodResult<Method>): ArrayBuffer[] {
  if (!Array.isArray(result)) return [];
  return result.flatMap((item) => {
    if (!(item instanceof Float32Array) || !(item.buffer instanceof ArrayBuffer)) return [];
    return item.byteLength === item.buffer.byteLength ? [item.buffer] : []; // a view is copied
  });
}

/** Returns copies of embeddings that can be transferred without taking them from the caller. */
export function copyEmbeddings(embeddings: readonly Float32Array[]): Float32Array<ArrayBuffer>[] {
  return embeddings.map((embedding) => Float32Array.from(embedding));
}
