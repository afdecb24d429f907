import {
  type CancellationToken,
  ErrorCodes,
  LSPErrorCodes,
  ResponseError,
} from 'vscode-languageserver/node';
import type { ErrorData } from '../protocol/errors.ts';
import { ConceptError, isAbortError } from './base/errors.ts';

/** Runs a request: its token becomes a signal, and what it throws gains a code. */
export async function answer<T>(
  token: CancellationToken,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const cancelled = new AbortController();
  const subscription = token.onCancellationRequested(() => cancelled.abort());
  try {
    return await run(cancelled.signal);
  } catch (error) {
    throw error instanceof ResponseError ? error : responseError(error);
  } finally {
    subscription.dispose();
  }
}

function responseError(error: unknown): ResponseError<ErrorData | undefined> {
  if (isAbortError(error)) {
    return new ResponseError(LSPErrorCodes.RequestCancelled, 'the request is no longer wanted');
  }
  const { code, retryable } =
    error instanceof ConceptError ? error : { code: 'internal' as const, retryable: false };
  const message = error instanceof Error ? error.message : String(error);
  const number = code === 'invalidRequest' ? ErrorCodes.InvalidParams : ErrorCodes.InternalError;
  return new ResponseError(number, message, { code, retryable });
}
