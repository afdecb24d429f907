import type { Value } from '../onnx/graph.ts';
import type { Ops } from '../onnx/ops.ts';
import { bytesOf, type Scope } from '../onnx/scope.ts';

/** Sets the slowest wave, 2π · 10000 positions long; Vaswani et al. 2017, section 3.5. */
const maxPeriod = 10_000;

export interface PositionConfig {
  /** Rows of the table. */
  maxSeqLen: number;
  /** D */
  modelDim: number;
}

/**
 * Fairseq's table of sinusoidal positions.
 *
 *   P[t] = [sin(s w₀) … sin(s w_{h−1}), cos(s w₀) … cos(s w_{h−1})],
 *   w_i = 10000^{−i / (h − 1)},  h = D / 2,  s = t + startStep
 *
 * Source: Vaswani et al. 2017 (arXiv:1706.03762), section 3.5, with sines before cosines and
 * h − 1 in the exponent. reference: fairseq2 SinusoidalPositionEncoder.
 *
 * @returns [maxSeqLen, D]
 */
export function sinusoidalPositions(
  scope: Scope,
  { maxSeqLen, modelDim, startStep }: PositionConfig & { startStep: number },
): Value {
  const half = modelDim / 2;
  return scope.table('sinusoidal_positions', 'float32', [maxSeqLen, modelDim], () => {
    const table = new Float32Array(maxSeqLen * modelDim);
    for (let t = 0; t < maxSeqLen; t++) {
      for (let i = 0; i < half; i++) {
        const angle = (t + startStep) * maxPeriod ** (-i / (half - 1));
        table[t * modelDim + i] = Math.sin(angle);
        table[t * modelDim + half + i] = Math.cos(angle);
      }
    }
    return bytesOf(table);
  });
}

export interface RotaryConfig {
  /** Rows of the tables. */
  maxSeqLen: number;
  /** w_i, one for each pair of a head, [K / 2]. */
  frequencies: readonly number[];
  /** Whether pairs are neighbours (fairseq2), or one is of each half of a head (Llama). */
  interleaved: boolean;
}

/** Returns w_i = θ^{−2i/K}. */
export function rotaryFrequencies(headDim: number, theta: number): number[] {
  return Array.from({ length: headDim / 2 }, (_, i) => theta ** ((-2 * i) / headDim));
}

/**
 * Stretches the slow waves of rotary positions, for texts that are longer than in training.
 *
 *   w′ = w                       when the wave 2π / w is shorter than T / high
 *   w′ = w / factor              when it is longer than T / low
 *   w′ = (1 − s) w / factor + s w  between, s = (T w / 2π − low) / (high − low)
 *
 * reference: transformers.modeling_rope_utils._compute_llama3_parameters
 */
export function llama3Frequencies(
  frequencies: readonly number[],
  scaling: {
    factor: number;
    lowFreqFactor: number;
    highFreqFactor: number;
    originalMaxPositionEmbeddings: number;
  },
): number[] {
  const { factor, lowFreqFactor: low, highFreqFactor: high } = scaling;
  return frequencies.map((w) => {
    const waves = (scaling.originalMaxPositionEmbeddings * w) / (2 * Math.PI); // T / wavelength
    const smooth = Math.min(Math.max((waves - low) / (high - low), 0), 1);
    return (1 - smooth) * (w / factor) + smooth * w;
  });
}

/**
 * Rotary positions: turns the pair i of position p by the angle p w_i.
 *
 * Source: Su et al. 2021 (arXiv:2104.09864), equation 34. reference: fairseq2 RotaryEncoder, and
 * transformers.models.llama.modeling_llama.apply_rotary_pos_emb for halves.
 *
 * @param positionIds  p of every row, [N, S] int64
 * @returns rotates queries or keys, [N, H, S, K] → [N, H, S, K]
 */
export function rotaryPositions(
  scope: Scope,
  { maxSeqLen, frequencies, interleaved }: RotaryConfig,
  positionIds: Value,
): (x: Value) => Value {
  const half = frequencies.length;
  const table = (wave: (angle: number) => number) => {
    const angles = Float32Array.from({ length: maxSeqLen * half }, (_, index) =>
      wave(Math.floor(index / half) * (frequencies[index % half] as number)),
    );
    return bytesOf(angles);
  };
  const shape = [maxSeqLen, half];
  const cosines = scope.table('rotary_cosines', 'float32', shape, () => table(Math.cos));
  const sines = scope.table('rotary_sines', 'float32', shape, () => table(Math.sin));
  return (x) => scope.op.RotaryEmbedding(x, cosines, sines, positionIds, { interleaved });
}

/** Where the new positions of a cached sequence stand. */
export interface SequencePlace {
  /** [N, S] as int64. */
  sequenceShape: Value;
  /** T, the positions before the new ones, [1] int64. */
  start: Value;
  /** T + S, [1] int64. */
  end: Value;
}

/**
 * Finds the place of the new positions.
 *
 * @param input  [N, S, ...]
 * @param past   [L, 2, M, H, T, K]
 */
export function sequencePlace(op: Ops, input: Value, past: Value): SequencePlace {
  const sequenceShape = op.Shape(input, { start: 0, end: 2 });
  const start = op.Shape(past, { start: 4, end: 5 });
  const end = op.Add(start, op.Shape(input, { start: 1, end: 2 }));
  return { sequenceShape, start, end };
}

/** The numbers T … T + S − 1 of the new positions, [S] int64. */
export function newPositions(op: Ops, { start, end }: SequencePlace): Value {
  return op.Range(op.Gather(start, 0, { axis: 0 }), op.Gather(end, 0, { axis: 0 }));
}

/**
 * Lets every new position see itself and what came before.
 *
 * @returns 0 or −∞, [S, T + S]
 */
export function causalMask(op: Ops, place: SequencePlace): Value {
  const queries = op.Unsqueeze(newPositions(op, place), [1]); // [S, 1]
  const keys = op.Range(op.constant('int64', 0), op.Gather(place.end, 0, { axis: 0 })); // [T + S]
  const isSeen = op.LessOrEqual(keys, queries); // [S, T + S]
  return op.Where(isSeen, op.constant('float32', 0), Number.NEGATIVE_INFINITY);
}

/**
 * Lets every position see the tokens and not the padding.
 *
 * @param attentionMask  1 for tokens, 0 for padding, [N, T] int64
 * @returns 0 or −∞, [N, 1, 1, T]
 */
export function paddingMask(op: Ops, attentionMask: Value): Value {
  const isToken = op.Unsqueeze(op.Cast(attentionMask, 'bool'), [1, 2]);
  return op.Where(isToken, op.constant('float32', 0), Number.NEGATIVE_INFINITY);
}
