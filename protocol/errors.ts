/** What went wrong, as one word that crosses every process wall. Decisions are made on it, never on a message. */
export type ErrorCode =
  | 'modelMissing'
  | 'modelCorrupt'
  | 'modelUnsupported'
  | DownloadErrorCode
  | 'inferenceFailed'
  | 'notEnoughMemory'
  | 'invalidRequest'
  | 'internal';

/** Why a file did not come, as far as the writer can do something about it. */
export type DownloadErrorCode =
  /** The host cannot be reached. */
  | 'downloadOffline'
  /** A proxy stands between, and refuses. */
  | 'downloadProxy'
  /** The host, or who stands between, shows a certificate that is not trusted. */
  | 'downloadUntrusted'
  /** The host asks for an account, or refuses. */
  | 'downloadForbidden'
  /** The file is not there any more. */
  | 'downloadNotFound'
  /** What came is not the file that was asked for. */
  | 'downloadCorrupt'
  | 'notEnoughSpace'
  | 'downloadFailed';

/** The `data` of a JSON-RPC error of ours. */
export interface ErrorData {
  code: ErrorCode;
  /** True when the same request may succeed later without any change. */
  retryable: boolean;
}
