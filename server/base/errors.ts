import type { DownloadErrorCode, ErrorCode } from '../../protocol/errors.ts';

/**
 * An error that names the thing, what was expected and what was found, without a full stop.
 * Each subclass says when it is thrown; its `code` says what the caller may do.
 */
export class ConceptError extends Error {
  readonly code: ErrorCode;
  readonly retryable: boolean;

  constructor(
    code: ErrorCode,
    message: string,
    options: ErrorOptions & { retryable?: boolean } = {},
  ) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
    this.retryable = options.retryable ?? false;
  }
}

/** A checkpoint, tokenizer or configuration file is malformed. Permanent: get the file again. */
export class CheckpointFormatError extends ConceptError {
  constructor(message: string, options?: ErrorOptions) {
    super('modelCorrupt', message, options);
  }
}

/** A well-formed checkpoint holds something we do not read. Permanent: choose a supported model. */
export class CheckpointUnsupportedError extends ConceptError {
  constructor(message: string, options?: ErrorOptions) {
    super('modelUnsupported', message, options);
  }
}

/** The weights of a checkpoint do not fit the architecture its configuration states. Permanent. */
export class WeightMismatchError extends ConceptError {
  constructor(message: string, options?: ErrorOptions) {
    super('modelUnsupported', message, options);
  }
}

/** The named model is not on this machine. Install it. */
export class ModelMissingError extends ConceptError {
  constructor(message: string, options?: ErrorOptions) {
    super('modelMissing', message, options);
  }
}

/** A model file differs from what its manifest promises. Prepare or download it again. */
export class IntegrityError extends ConceptError {
  constructor(message: string, options?: ErrorOptions) {
    super('modelCorrupt', message, options);
  }
}

/** A file could not be downloaded or there is no room for it. When retryable, try again later. */
export class DownloadError extends ConceptError {
  /** How long the host asks us to wait. */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: DownloadErrorCode,
    message: string,
    options: ErrorOptions & { retryable?: boolean; retryAfterMs?: number | undefined } = {},
  ) {
    super(code, message, options);
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** ONNX Runtime refused to build or run a session. Restart; see the log. */
export class SessionError extends ConceptError {
  constructor(message: string, options?: ErrorOptions) {
    super('inferenceFailed', message, options);
  }
}

/** There was not enough memory for a model. Choose a smaller one. */
export class MemoryError extends ConceptError {
  constructor(message: string, options?: ErrorOptions) {
    super('notEnoughMemory', message, options);
  }
}

/** A request cannot be answered because of its parameters. The caller is mistaken. */
export class InvalidRequestError extends ConceptError {
  constructor(message: string, options?: ErrorOptions) {
    super('invalidRequest', message, options);
  }
}

/** A mistake of ours. */
export class AssertionError extends ConceptError {
  constructor(message: string) {
    super('internal', message);
  }
}

/**
 * States what our own code guarantees; never used on input.
 *
 * @throws AssertionError when `condition` is false
 */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}

/** Returns true for the rejection that an aborted signal causes: not an error, and never shown. */
export function isAbortError(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}
