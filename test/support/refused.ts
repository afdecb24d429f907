import assert from 'node:assert/strict';
import { CheckpointFormatError } from '../../server/base/errors.ts';

/** Checks that a checkpoint is refused with an error of the given class and message. */
export function checkRefused(
  action: () => unknown,
  message: RegExp,
  kind: new (message: string) => Error = CheckpointFormatError,
): void {
  assert.throws(action, (error) => {
    assert.ok(error instanceof kind, String(error));
    assert.match(error.message, message);
    return true;
  });
}
