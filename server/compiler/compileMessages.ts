import {
  CheckpointFormatError,
  CheckpointUnsupportedError,
  ConceptError,
  IntegrityError,
  InvalidRequestError,
  MemoryError,
  ModelMissingError,
  WeightMismatchError,
} from '../base/errors.ts';
import type { Manifest } from '../model/manifest.ts';

/*
 * What crosses between the thread that compiles and the thread that asked for it. The request is
 * the worker's data; then the worker tells its progress, and at last how it ended.
 */

/** worker → caller. */
export type CompileMessage =
  | { type: 'progress'; fraction: number; label: string }
  | { type: 'done'; manifest: Manifest }
  | { type: 'failed'; error: CompileFailure };

/** caller → worker: stop between two tensors. */
export const cancelMessage = 'cancel';

/** An error in plain data: a class does not survive the way between threads. */
export interface CompileFailure {
  /** Name of the class. */
  name: string;
  code: ConceptError['code'];
  message: string;
}

/** The errors of a compilation whose class is rebuilt. */
const errorClasses = {
  CheckpointFormatError,
  CheckpointUnsupportedError,
  WeightMismatchError,
  IntegrityError,
  InvalidRequestError,
  MemoryError,
  ModelMissingError,
};

/** Turns an error into plain data; a buffer that could not be had is a lack of memory. */
export function packError(error: unknown): CompileFailure {
  if (error instanceof ConceptError) {
    return { name: error.name, code: error.code, message: error.message };
  }
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof RangeError && message.includes('allocation failed')) {
    return packError(
      new MemoryError('compiling: expected memory for one tensor, found too little'),
    );
  }
  return { name: 'ConceptError', code: 'internal', message };
}

/** Turns plain data into an error of its class; one without a class of ours keeps its code. */
export function unpackError({ name, code, message }: CompileFailure): ConceptError {
  const known = Object.entries(errorClasses).find(([className]) => className === name);
  return known ? new known[1](message) : new ConceptError(code, message);
}
