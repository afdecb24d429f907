/** What went wrong, as one word that crosses every process wall. Decisions are made on it, never on a message. */
export type ErrorCode =
  | 'modelMissing'
  | 'modelCorrupt'
  | 'modelUnsupported'
  | 'downloadFailed'
  | 'inferenceFailed'
  | 'notEnoughMemory'
  | 'invalidRequest'
  | 'internal';

/** The `data` of a JSON-RPC error of ours. */
export interface ErrorData {
  code: ErrorCode;
  /** True when the same request may succeed later without any change. */
  retryable: boolean;
}
