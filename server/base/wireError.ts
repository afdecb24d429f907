import {
  CheckpointFormatError,
  CheckpointUnsupportedError,
  ConceptError,
  DownloadError,
  IntegrityError,
  InvalidRequestError,
  isAbortError,
  MemoryError,
  ModelMissingError,
  SessionError,
  WeightMismatchError,
} from './errors.ts';

/*
 * Errors between threads: a class does not survive the way, so an error crosses as plain data and
 * its class is rebuilt on the other side.
 */

/** An error in plain data. */
export interface WireError {
  /** Name of the class; `AbortError` for what was cancelled. */
  name: string;
  code: ConceptError['code'];
  message: string;
  retryable: boolean;
}

const errorClasses = {
  CheckpointFormatError,
  CheckpointUnsupportedError,
  WeightMismatchError,
  ModelMissingError,
  IntegrityError,
  SessionError,
  MemoryError,
  InvalidRequestError,
};

/**
 * Turns an error into plain data; a buffer that could not be had is a lack of memory, a
 * full disk one of room.
 */
export function toWireError(error: unknown): WireError {
  if (error instanceof ConceptError) {
    const { name, code, message, retryable } = error;
    return { name, code, message, retryable };
  }
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof RangeError && message.includes('allocation failed')) {
    return toWireError(new MemoryError('memory: expected enough for one tensor, found too little'));
  }
  if (error instanceof Error && 'code' in error && error.code === 'ENOSPC') {
    return toWireError(new DownloadError('notEnoughSpace', 'disk: expected room, found it full'));
  }
  const name = isAbortError(error) ? 'AbortError' : 'ConceptError';
  return { name, code: 'internal', message, retryable: isAbortError(error) };
}

/** Turns plain data into an error of its class; one without a class of ours keeps its code. */
export function fromWireError({ name, code, message, retryable }: WireError): Error {
  if (name === 'AbortError') return new DOMException(message, 'AbortError');
  const known = Object.entries(errorClasses).find(([className]) => className === name);
  return known ? new known[1](message) : new ConceptError(code, message, { retryable });
}
