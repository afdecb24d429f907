import type { ConceptModelEntry, GraphEntry } from '../../model/manifest.ts';
import {
  contextSignature,
  crossAttentionSignature,
  denoiserSignature,
  type GraphSession,
  regressionLcmSignature,
  type Signature,
} from '../graphSession.ts';
import type { ConceptModel } from './conceptModel.ts';
import type { Normalizer } from './normalizer.ts';
import { RegressionLcm } from './regressionLcm.ts';
import { TwoTowerLcm } from './twoTowerLcm.ts';

/** Opens one graph of a folder on the device that was chosen. */
export type OpenGraph = <S extends Signature>(
  entry: GraphEntry,
  label: string,
  signature: S,
) => Promise<GraphSession<S>>;

/**
 * Opens the graphs of a concept model, whatever its family.
 *
 * @throws SessionError when a graph cannot be opened; none stays open then
 */
export async function openConceptModel(
  entry: ConceptModelEntry,
  normalizer: Normalizer,
  openGraph: OpenGraph,
): Promise<ConceptModel> {
  const opened: { dispose(): Promise<void> }[] = [];
  const open = async <S extends Signature>(graph: GraphEntry, name: string, signature: S) => {
    const session = await openGraph(graph, `${entry.name} ${name}`, signature);
    opened.push(session);
    return session;
  };
  try {
    switch (entry.family) {
      case 'base_lcm':
      case 'sonar_llm': {
        const graph = await open(entry.graphs.lcm, 'lcm', regressionLcmSignature);
        return new RegressionLcm(entry, graph, normalizer);
      }
      case 'two_tower_diffusion_lcm': {
        const { graphs } = entry;
        return new TwoTowerLcm(
          entry,
          {
            context: await open(graphs.context, 'context', contextSignature),
            crossAttention: await open(
              graphs.crossAttention,
              'crossAttention',
              crossAttentionSignature,
            ),
            denoiser: await open(graphs.denoiser, 'denoiser', denoiserSignature),
          },
          normalizer,
        );
      }
    }
  } catch (error) {
    for (const graph of opened) await graph.dispose();
    throw error;
  }
}
