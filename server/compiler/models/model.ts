import type { Precision } from '../../model/manifest.ts';
import { GraphBuilder } from '../onnx/builder.ts';
import type { CheckpointWeights } from '../onnx/checkpointWeights.ts';
import { Scope } from '../onnx/scope.ts';

/** How a model is to be compiled. */
export interface BuildOptions {
  /** Of linear layers, embeddings and projections to the vocabulary; all else is float32. */
  precision: Precision;
}

/** Opens a graph and the scope at the root of its checkpoint. */
export function openGraph(
  name: string,
  weights: CheckpointWeights,
  precision: Precision,
): { builder: GraphBuilder; scope: Scope } {
  const builder = new GraphBuilder(name);
  return { builder, scope: new Scope({ builder, weights, precision }) };
}
