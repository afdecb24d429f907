import { basename, resolve } from 'node:path';
import { encoderMaxSeqLen } from '../model/config.ts';
import {
  type ConceptModelEntry,
  type DirectionsEntry,
  type FileEntry,
  type GraphEntry,
  type Manifest,
  type ModelManifest,
  manifestVersion,
  type NormalizerEntry,
  type QuantizerEntry,
  type ShortlistEntry,
} from '../model/manifest.ts';
import { type CompileRequest, checkRequest, sourceDigest } from './compileRequest.ts';
import { conceptModelSizes } from './conceptModels.ts';
import type { Directions } from './directions.ts';
import {
  type ModelPlan,
  type PlannedCodec,
  type PlannedConceptModel,
  type PlannedGraph,
  planModel,
  weightsFile,
} from './modelPlan.ts';
import type { Codebooks } from './models/quantLcm.ts';
import type { SonarNormalizer } from './models/sonarNormalizer.ts';
import { checkReplaceable, OutputFolder, openFinished } from './outputFolder.ts';
import type { Shortlist } from './vocabularyShortlist.ts';

/** How a compilation is watched and stopped. */
export interface CompileOptions {
  /** @param fraction  0 to 1 @param label  the part that is being written */
  onProgress?: ((fraction: number, label: string) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Compiles checkpoints into a model folder: read → build → quantize → serialize → manifest.
 *
 * The folder appears at once and complete; an interrupted compilation leaves nothing that looks
 * like a model. When the folder already holds the model of the same sources, nothing is done.
 * Weights are read one tensor at a time, and the signal is heard between them.
 *
 * @throws InvalidRequestError for an impossible name or a folder that holds something else
 * @throws CheckpointFormatError when a source is missing or malformed
 * @throws CheckpointUnsupportedError when it asks for what we do not build
 * @throws WeightMismatchError when the sources do not belong together, or a number is not finite
 */
export async function compileModel(
  request: CompileRequest,
  { onProgress, signal }: CompileOptions = {},
): Promise<Manifest> {
  signal?.throwIfAborted();
  checkRequest(request);
  const digest = await sourceDigest(request, signal);
  const finished = openFinished(request.outDir, digest);
  if (finished !== null) return finished;
  checkReplaceable(request.outDir);

  const plan = planModel(request, signal);
  try {
    const output = new OutputFolder(request.outDir);
    try {
      const writer = new PlanWriter(output, plan, { onProgress, signal });
      const fallbackName = basename(resolve(request.outDir));
      const manifest = await writeModel(writer, plan, { digest, fallbackName });
      signal?.throwIfAborted();
      await output.commit(manifest);
      return manifest;
    } catch (error) {
      output.discard();
      throw error;
    }
  } finally {
    plan.dispose();
  }
}

/** Writes the files of a plan, and tells how far it is. */
class PlanWriter {
  readonly #output: OutputFolder;
  readonly #options: CompileOptions;
  readonly #expectedBytes: number;
  #writtenBytes = 0;

  constructor(output: OutputFolder, plan: ModelPlan, options: CompileOptions) {
    this.#output = output;
    this.#options = options;
    this.#expectedBytes = expectedBytes(plan);
  }

  file(file: string, chunks: Iterable<Uint8Array>, label: string): Promise<FileEntry> {
    const { onProgress, signal } = this.#options;
    const onBytes = (count: number) => {
      this.#writtenBytes += count;
      onProgress?.(Math.min(1, this.#writtenBytes / this.#expectedBytes), label);
    };
    return this.#output.write(file, chunks, onBytes, signal);
  }

  async graph({ stem, serialized }: PlannedGraph, label: string): Promise<GraphEntry> {
    const weights = await this.file(weightsFile(stem), serialized.weights, label);
    return { model: await this.file(`${stem}.onnx`, [serialized.model], label), weights };
  }

  async normalizer(name: string, normalizer: SonarNormalizer): Promise<NormalizerEntry> {
    const chunks = [bytesOf(normalizer.center), bytesOf(normalizer.scale)];
    return { file: await this.file(`${name}.normalizer.bin`, chunks, name) };
  }

  async shortlist({ langs, ids }: Shortlist): Promise<ShortlistEntry> {
    return { langs, file: await this.file('decoder.shortlist.bin', [bytesOf(ids)], 'decoder') };
  }

  async directions({ names, vectors }: Directions): Promise<DirectionsEntry> {
    return { names, file: await this.file('directions.bin', [bytesOf(vectors)], 'directions') };
  }

  async codebooks(name: string, codebooks: Codebooks): Promise<QuantizerEntry> {
    const { numCodebooks, codebookSize } = codebooks;
    const chunks = (function* () {
      for (const codebook of codebooks.read()) yield bytesOf(codebook);
    })();
    const file = await this.file(`${name}.codebooks.bin`, chunks, name);
    return { numCodebooks, codebookSize, file };
  }
}

async function writeModel(
  writer: PlanWriter,
  plan: ModelPlan,
  { digest, fallbackName }: { digest: string; fallbackName: string },
): Promise<Manifest> {
  const { codec, embeddingDim } = plan;
  const parts = codec && (await writeCodec(writer, plan, codec));
  const conceptModels: ConceptModelEntry[] = [];
  for (const conceptModel of plan.conceptModels) {
    conceptModels.push(await writeConceptModel(writer, plan, conceptModel));
  }
  const name = plan.name ?? fallbackName;
  const common = {
    version: manifestVersion,
    name,
    sourceDigest: digest,
    space: plan.space ?? name,
    embeddingDim,
    conceptModels,
  } as const;
  return parts === null
    ? { kind: 'conceptModels', ...common }
    : { kind: 'model', ...common, ...parts };
}

async function writeCodec(
  writer: PlanWriter,
  { precisions }: ModelPlan,
  codec: PlannedCodec,
): Promise<Pick<ModelManifest, 'tokenizer' | 'encoder' | 'decoder' | 'entropy' | 'directions'>> {
  const { langs, defaultLang, encoderConfig, decoderConfig, entropy } = codec;
  const tokenizer = await writer.file('tokenizer.model', [codec.tokenizer], 'tokenizer');
  return {
    tokenizer: { file: tokenizer, langs, defaultLang },
    encoder: {
      precision: precisions.encoder,
      modelDim: encoderConfig.modelDim,
      maxSeqLen: encoderMaxSeqLen(encoderConfig),
      graph: await writer.graph(codec.encoder, 'encoder'),
    },
    decoder: {
      precision: precisions.decoder,
      modelDim: decoderConfig.modelDim,
      numLayers: decoderConfig.numDecoderLayers,
      numAttnHeads: decoderConfig.numDecoderAttnHeads,
      headDim: decoderConfig.modelDim / decoderConfig.numDecoderAttnHeads,
      vocabSize: decoderConfig.vocabInfo.size,
      maxSeqLen: decoderConfig.maxSeqLen,
      vocabInfo: decoderConfig.vocabInfo,
      shortlist: codec.shortlist && (await writer.shortlist(codec.shortlist)),
      prepare: await writer.graph(codec.decoder.prepare, 'decoder'),
      step: await writer.graph(codec.decoder.step, 'decoder'),
    },
    entropy: entropy && {
      precision: precisions.encoder,
      maxSeqLen: entropy.config.maxSeqLen,
      graph: await writer.graph(entropy.graph, 'entropy'),
    },
    directions: codec.directions && (await writer.directions(codec.directions)),
  };
}

async function writeConceptModel(
  writer: PlanWriter,
  { precisions }: ModelPlan,
  { name, config, normalizer, codebooks, graphs: planned }: PlannedConceptModel,
): Promise<ConceptModelEntry> {
  const precision = precisions.conceptModels;
  const normalizerEntry = normalizer && (await writer.normalizer(name, normalizer));
  const graphs: Record<string, GraphEntry> = {};
  for (const [key, graph] of Object.entries(planned)) graphs[key] = await writer.graph(graph, name);
  const quantizer = codebooks && (await writer.codebooks(name, codebooks));
  const common = { name, precision, normalizer: normalizerEntry, graphs };
  const entry = { ...conceptModelSizes(config), ...common, ...(quantizer && { quantizer }) };
  // The parts that a family has are those of its entry: parseManifest would refuse any other.
  return entry as ConceptModelEntry;
}

function expectedBytes({ codec, conceptModels }: ModelPlan): number {
  const codecGraphs = codec ? [codec.encoder, codec.decoder.prepare, codec.decoder.step] : [];
  const graphs = [
    ...codecGraphs,
    ...(codec?.entropy ? [codec.entropy.graph] : []),
    ...conceptModels.flatMap((conceptModel) => Object.values(conceptModel.graphs)),
  ];
  const graphBytes = graphs.map(
    ({ serialized }) => serialized.model.length + serialized.weightsSizeBytes,
  );
  const normalizerBytes = conceptModels.map(({ normalizer }) =>
    normalizer ? normalizer.center.byteLength + normalizer.scale.byteLength : 0,
  );
  const codebookBytes = conceptModels.map(({ codebooks }) => codebooks?.sizeBytes ?? 0);
  const tokenizerBytes = codec?.tokenizer.length ?? 0;
  const shortlistBytes = codec?.shortlist?.ids.byteLength ?? 0;
  const directionsBytes = codec?.directions?.vectors.byteLength ?? 0;
  return [
    tokenizerBytes,
    shortlistBytes,
    directionsBytes,
    ...graphBytes,
    ...normalizerBytes,
    ...codebookBytes,
  ].reduce((a, b) => a + b);
}

/** Little-endian, as is every machine that onnxruntime-node runs on. */
function bytesOf(values: Float32Array | Int32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
