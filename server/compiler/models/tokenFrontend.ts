import type { VocabInfo } from '../../model/config.ts';
import { sinusoidalPositions } from '../nn/positions.ts';
import type { Value } from '../onnx/graph.ts';
import type { Scope } from '../onnx/scope.ts';
import { requireSupported } from './supported.ts';

/** The part of both SONAR configurations that the front-end reads. */
export interface TokenFrontendConfig {
  modelDim: number;
  vocabInfo: VocabInfo;
  layernormEmbedding: boolean;
  noScaleEmbedding: boolean;
  noTokenPositionalEmbeddings: boolean;
  learnedPos: boolean;
}

/**
 * Tokens and positions.
 *
 *   h₀[t] = √D E[id_t] + P[t]
 *
 * reference: fairseq2 TransformerEmbeddingFrontend
 *
 * @param embedded  E[id], [N, S, D]
 * @param start     position of the first token, [1] int64
 * @param end       position after the last token, [1] int64
 * @returns [N·S, D]
 * @throws CheckpointUnsupportedError for variants that no released model uses
 */
export function tokenFrontend(
  scope: Scope,
  config: TokenFrontendConfig & { maxSeqLen: number },
  embedded: Value,
  { start, end }: { start: Value; end: Value },
): Value {
  requireSupported('layernorm_embedding', config.layernormEmbedding, [false]);
  requireSupported('no_token_positional_embeddings', config.noTokenPositionalEmbeddings, [false]);
  requireSupported('learned_pos', config.learnedPos, [false]);
  const { op } = scope;
  const { modelDim, maxSeqLen, vocabInfo, noScaleEmbedding } = config;

  const scaled = noScaleEmbedding ? embedded : op.Mul(embedded, Math.sqrt(modelDim));
  // fairseq gave the first token the step after the padding index.
  const startStep = vocabInfo.padIdx + 1;
  const table = sinusoidalPositions(scope, { maxSeqLen, modelDim, startStep });
  const positions = op.Slice(table, start, end, { axis: 0 }); // [S, D]
  return op.Reshape(op.Add(scaled, positions), [-1, modelDim]);
}
