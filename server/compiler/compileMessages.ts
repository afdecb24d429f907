import type { WireError } from '../base/wireError.ts';
import type { Manifest } from '../model/manifest.ts';

/*
 * What crosses between the thread that compiles and the thread that asked for it. The request is
 * the worker's data; then the worker tells its progress, and at last how it ended.
 */

/** worker → caller. */
export type CompileMessage =
  | { type: 'progress'; fraction: number; label: string }
  | { type: 'done'; manifest: Manifest }
  | { type: 'failed'; error: WireError };

/** caller → worker: stop between two tensors. */
export const cancelMessage = 'cancel';
