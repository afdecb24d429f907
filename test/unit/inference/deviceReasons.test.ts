import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plainReason } from '../../../server/inference/deviceReasons.ts';

function check(error: string, expected: string, messages?: string): void {
  assert.equal(plainReason(error, messages), expected);
}

test('what ONNX Runtime says becomes plain', () => {
  check(
    'encoder: ONNX Runtime refused: /onnxruntime_src/webgpu_context.cc:136 Failed to get a WebGPU adapter: No supported adapters\n',
    'no graphics adapter with a driver was found',
  );
  check('no available backend found. ERR: [dml] backend not found.', 'not part of this build');
  check(
    'encoder: ONNX Runtime refused: Program Cast requires f16 but the device does not support it.',
    'this graphics adapter does not compute in fp16',
  );
});

test('a missing library is named, wherever it was said', () => {
  const said = 'libcudnn.so.9: cannot open shared object file: No such file or directory';
  check(said, 'libcudnn.so.9 was not found');
  check('Failed to load shared library', 'libcudnn.so.9 was not found', `log: ${said}`);
  check(
    'LoadLibrary failed with error 126 "" when trying: error loading "C:\\ort\\onnxruntime_providers_cuda.dll"',
    'onnxruntime_providers_cuda.dll or what it needs was not found',
  );
});

test('anything else is its first line, not too long', () => {
  check('encoder: ONNX Runtime refused: device lost\n at somewhere', 'device lost');
  check('x'.repeat(200), `${'x'.repeat(160)} …`);
});
