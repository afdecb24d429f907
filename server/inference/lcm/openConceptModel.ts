import type {
  ConceptModelEntry,
  GraphEntry,
  NormalizerEntry,
  QuantizerEntry,
} from '../../model/manifest.ts';
import {
  contextSignature,
  crossAttentionSignature,
  denoiserSignature,
  type GraphSession,
  regressionLcmSignature,
  type Signature,
  slotLcmSignature,
} from '../graphSession.ts';
import type { ConceptModel } from './conceptModel.ts';
import type { Normalizer } from './normalizer.ts';
import { OneTowerLcm } from './oneTowerLcm.ts';
import { QuantLcm } from './quantLcm.ts';
import { RegressionLcm } from './regressionLcm.ts';
import type { ResidualQuantizer } from './residualQuantizer.ts';
import { TwoTowerLcm } from './twoTowerLcm.ts';

/** Opens one graph of a folder on the device that was chosen. */
export type OpenGraph = <S extends Signature>(
  entry: GraphEntry,
  label: string,
  signature: S,
) => Promise<GraphSession<S>>;

/** What a concept model has beside its graphs, read from its folder. */
export interface ConceptModelFiles {
  normalizer(entry: NormalizerEntry | null): Normalizer;
  quantizer(entry: QuantizerEntry): ResidualQuantizer;
}

/**
 * Opens the graphs of a concept model, whatever its family.
 *
 * @throws SessionError when a graph cannot be opened
 * @throws IntegrityError when a file is not what it should be
 *   No graph stays open then.
 */
export async function openConceptModel(
  entry: ConceptModelEntry,
  files: ConceptModelFiles,
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
        return new RegressionLcm(entry, graph, files.normalizer(entry.normalizer));
      }
      case 'one_tower_diffusion_lcm': {
        const graph = await open(entry.graphs.lcm, 'lcm', slotLcmSignature);
        return new OneTowerLcm(entry, graph, files.normalizer(entry.normalizer));
      }
      case 'quant_lcm': {
        const graph = await open(entry.graphs.lcm, 'lcm', slotLcmSignature);
        const quantizer = files.quantizer(entry.quantizer);
        return new QuantLcm(entry, graph, files.normalizer(entry.normalizer), quantizer);
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
          files.normalizer(entry.normalizer),
        );
      }
    }
  } catch (error) {
    for (const graph of opened) await graph.dispose();
    throw error;
  }
}
