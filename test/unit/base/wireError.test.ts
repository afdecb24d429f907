import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CheckpointFormatError,
  ConceptError,
  DownloadError,
  isAbortError,
  MemoryError,
} from '../../../server/base/errors.ts';
import { fromWireError, toWireError } from '../../../server/base/wireError.ts';

/** Sends an error across a wall and back. */
const crossed = (error: unknown) => fromWireError(structuredClone(toWireError(error)));

test('an error of ours keeps its class, code and message', () => {
  const error = crossed(new CheckpointFormatError('encoder: expected a file, found none'));
  assert.ok(error instanceof CheckpointFormatError);
  assert.equal(error.message, 'encoder: expected a file, found none');
  const download = crossed(new DownloadError('downloadOffline', 'host', { retryable: true }));
  assert.ok(download instanceof ConceptError);
  assert.equal(download.code, 'downloadOffline');
  assert.equal(download.retryable, true);
});

test('what the system says is given its code', () => {
  const full = crossed(Object.assign(new Error('write'), { code: 'ENOSPC' }));
  assert.ok(full instanceof ConceptError);
  assert.equal(full.code, 'notEnoughSpace');
  assert.ok(crossed(new RangeError('Array buffer allocation failed')) instanceof MemoryError);
  assert.ok(isAbortError(crossed(new DOMException('stopped', 'AbortError'))));
  const other = crossed(new TypeError('x is not a function'));
  assert.ok(other instanceof ConceptError);
  assert.equal(other.code, 'internal');
});
