import type { BlockBits } from './blockQuantize.ts';
import type { Value } from './graph.ts';
import { Nodes, type Operand } from './nodes.ts';

const domain = 'com.microsoft';

/**
 * ONNX Runtime's own operators, under their names.
 *
 * Source: docs/ContribOperators.md of github.com/microsoft/onnxruntime.
 */
export class ContribOps extends Nodes {
  /**
   * (A − zeroPoint) B · aScale · bScale.
   *
   * @param a          [S, D] uint8
   * @param b          [D, F] int8
   * @param aScale     scalar
   * @param bScale     one per column, [F]
   * @param zeroPoint  scalar uint8
   * @returns [S, F] float32
   */
  MatMulIntegerToFloat(
    a: Value,
    b: Value,
    aScale: Operand,
    bScale: Value,
    zeroPoint: Operand,
  ): Value {
    const [scale] = this.operands(aScale, bScale);
    const [zero] = this.operands(zeroPoint, a);
    return this.node('MatMulIntegerToFloat', [a, b, scale, bScale, zero], {
      type: 'float32',
      domain,
    });
  }

  /**
   * softmax(Q Kᵀ / √K + bias) V, head by head, with heads side by side.
   *
   * @param query          [N, S, D]
   * @param key            [N, T, D]
   * @param value          [N, T, D]
   * @param attentionBias  [N or 1, H or 1, S, T]
   * @returns [N, S, D]
   */
  MultiHeadAttention(
    query: Value,
    key: Value,
    value: Value,
    attentionBias: Value,
    { numHeads }: { numHeads: number },
  ): Value {
    return this.node('MultiHeadAttention', [query, key, value, null, null, attentionBias], {
      type: query.type,
      domain,
      attributes: { num_heads: { int: numHeads } },
    });
  }

  /**
   * A Wᵀ + bias, for a weight in blocks along D; see `blockQuantize.ts`.
   *
   * @param x       [S, D]
   * @param values  [F, ⌈D / blockSize⌉, blockSize · bits / 8] uint8
   * @param scales  [F, ⌈D / blockSize⌉]
   * @param bias    [F]
   * @returns [S, F]
   */
  MatMulNBits(
    x: Value,
    values: Value,
    scales: Value,
    bias: Value | null,
    { inputDim, outputDim, blockSize, bits }: BlockProductShape,
  ): Value {
    return this.node(
      'MatMulNBits',
      bias ? [x, values, scales, null, null, bias] : [x, values, scales],
      {
        type: x.type,
        domain,
        attributes: {
          K: { int: inputDim },
          N: { int: outputDim },
          bits: { int: bits },
          block_size: { int: blockSize },
          accuracy_level: { int: 4 }, // activations in bytes, one scale per block of each row
        },
      },
    );
  }

  /**
   * Rows of a table in blocks, as numbers.
   *
   * @param values   [V, blocks, blockSize / 2] uint8, as in `MatMulNBits` with four bits
   * @param indices  [N, S] int64
   * @param scales   [V, blocks, 1]
   * @returns [N, S, blocks, blockSize] of the scales' type
   */
  GatherBlockQuantized(
    values: Value,
    indices: Value,
    scales: Value,
    { blockSize }: { blockSize: number },
  ): Value {
    return this.node('GatherBlockQuantized', [values, indices, scales], {
      type: scales.type,
      domain,
      attributes: {
        bits: { int: 4 },
        block_size: { int: blockSize },
        gather_axis: { int: 0 },
        quantize_axis: { int: 2 },
      },
    });
  }
}

interface BlockProductShape {
  /** D */
  inputDim: number;
  /** F */
  outputDim: number;
  blockSize: number;
  bits: BlockBits;
}
