/*
 * Whether products of bytes are exact on this processor. On x64 without VNNI, a product of unsigned
 * and signed bytes adds two terms in 16 bits, which cut large ones. ONNX Runtime can multiply
 * otherwise (`session.x64quantprecision`), at half the speed where nothing is cut, and turns that on
 * wherever it is asked to: so a product of the largest bytes is computed first.
 *
 * reference: the instruction VPMADDUBSW; MlasPlatformU8S8Overflow in ONNX Runtime
 */

/** a [S, D] uint8, b [D, F] int8, scales [F] → product [S, F]; a test compares it to the compiler's. */
const graph =
  'CAsSC3Rob3VnaHRsaW5lOogCCmwKAWEKAWIKDGZsb2F0MzJbXSgxKQoGc2NhbGVzCgp1aW50OFtdKDApEgdw' +
  'cm9kdWN0GhRNYXRNdWxJbnRlZ2VyVG9GbG9hdCIUTWF0TXVsSW50ZWdlclRvRmxvYXQ6DWNvbS5taWNyb3Nv' +
  'ZnQSC2ludDhQcm9kdWN0KhYQAUIMZmxvYXQzMltdKDEpSgQAAIA/KhEQAkIKdWludDhbXSgwKUoBAFoVCgFh' +
  'EhAKDggCEgoKAxIBUwoDEgFEWhUKAWISEAoOCAMSCgoDEgFECgMSAUZaFQoGc2NhbGVzEgsKCQgBEgUKAxIB' +
  'RmIbCgdwcm9kdWN0EhAKDggBEgoKAxIBUwoDEgFGQgIQF0IRCg1jb20ubWljcm9zb2Z0EAE=';

/** Enough for the blocks of every kernel. */
const size = 16;

/** Returns an ONNX model of one product. */
export function int8ProductGraph(): Uint8Array {
  return Buffer.from(graph, 'base64');
}

/** The largest bytes: two terms are 64,770, and 16 bits end at 32,767. */
export const largestBytes = {
  a: new Uint8Array(size * size).fill(255),
  b: new Int8Array(size * size).fill(127),
  scales: new Float32Array(size).fill(1),
  size,
};

/** Tells whether no sum of the product was cut. */
export function isExact(product: Float32Array): boolean {
  return product.every((value) => value === size * 255 * 127);
}
