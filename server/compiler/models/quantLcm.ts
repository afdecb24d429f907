import type { QuantLcmConfig } from '../../model/config.ts';
import { CheckpointWeights } from '../onnx/checkpointWeights.ts';
import type { Graph } from '../onnx/graph.ts';
import type { WeightSource } from '../onnx/weights.ts';
import type { BuildOptions } from './model.ts';
import { buildSlotLcm } from './slotLcm.ts';
import { normalizerKeys } from './sonarNormalizer.ts';

/** The key of the residual quantiser's centroids, which no graph uses. */
const codebooksKey = 'quantizer.codebooks';
const leftAside = [/^quantizer\.codebooks$/];

/**
 * Builds graph `lcm` of the manifest for a Quant-LCM: the slot holds the centroids chosen so far,
 * and becomes the next concept codebook by codebook.
 *
 * It uses every key except the codebooks, which `openCodebooks` reads, and the normaliser's
 * buffers, which `readNormalizer` reads.
 *
 * Source: our reconstruction of LCM team 2024 (arXiv:2412.08821), section 2.3.4.
 *
 * @throws WeightMismatchError when the checkpoint does not fit the configuration
 * @throws CheckpointUnsupportedError when the configuration asks for what we do not build
 */
export function buildQuantLcm(
  config: QuantLcmConfig,
  source: WeightSource,
  options: BuildOptions,
): { lcm: Graph } {
  const { target, numCodebooks, codebookSize, sonarEmbedDim, conditionDim } = config;
  const weights = new CheckpointWeights(source);
  const lcm = buildSlotLcm(config, weights, options, {
    embedCondition: (scope, codebook) => {
      const shape = [numCodebooks + 1, conditionDim];
      const table = scope.at('embed_codebook').weight('weight', shape);
      return scope.op.Gather(table, codebook, { axis: 0 });
    },
    outputDim: target === 'discrete' ? codebookSize : sonarEmbedDim,
  });
  weights.assertAllUsed(
    config.sonarNormalizerName === null ? leftAside : [...leftAside, normalizerKeys],
  );
  return { lcm };
}

/** The centroids of a residual quantiser, which are read one codebook at a time. */
export interface Codebooks {
  numCodebooks: number;
  codebookSize: number;
  sizeBytes: number;
  /** Reads codebook after codebook, each [codebookSize, E]. */
  read(): Iterable<Float32Array>;
}

/**
 * Opens the centroids of the residual quantiser.
 *
 * @throws WeightMismatchError when they are missing or of another shape; `read`, when a number is
 *   not finite
 */
export function openCodebooks(
  { numCodebooks, codebookSize, sonarEmbedDim }: QuantLcmConfig,
  source: WeightSource,
): Codebooks {
  const shape = [numCodebooks, codebookSize, sonarEmbedDim];
  const reader = new CheckpointWeights(source).use(codebooksKey, shape);
  return {
    numCodebooks,
    codebookSize,
    sizeBytes: numCodebooks * codebookSize * sonarEmbedDim * Float32Array.BYTES_PER_ELEMENT,
    *read() {
      for (let codebook = 0; codebook < numCodebooks; codebook++) {
        yield reader.readRows(codebook, 1);
      }
    },
  };
}
