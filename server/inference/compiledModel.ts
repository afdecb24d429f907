import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { IntegrityError, InvalidRequestError } from '../base/errors.ts';
import type {
  DecoderEntry,
  EntropyEntry,
  FileEntry,
  GraphEntry,
  ModelManifest,
} from '../model/manifest.ts';
import { isFiniteVector } from '../tensor/vector.ts';
import { SonarTokenizer } from '../text/sonarTokenizer.ts';
import { ByteEntropies } from './byteEntropies.ts';
import { conceptModelFiles } from './conceptModelFiles.ts';
import { type DecoderVocabulary, parseShortlist, wholeVocabulary } from './decoderVocabulary.ts';
import type { ChooseDevice } from './deviceChooser.ts';
import { type ChosenDevice, type Device, openOnDevice } from './devices.ts';
import { parseDirections } from './directions.ts';
import {
  encoderSignature,
  entropySignature,
  prepareSignature,
  type Signature,
  stepSignature,
} from './graphSession.ts';
import {
  type DecodedSentence,
  type DecodeRequest,
  type EncodeRequest,
  type LoadOptions,
  maxCandidates,
  type PredictRequest,
} from './inference.ts';
import type { InferenceModel, ModelInfo } from './inferenceServer.ts';
import type { ConceptModel } from './lcm/conceptModel.ts';
import { openConceptModel } from './lcm/openConceptModel.ts';
import { type PlacedConceptModel, placeConceptModels, readModel } from './modelFolder.ts';
import { SentenceDecoder } from './sentenceDecoder.ts';
import { SentenceEncoder } from './sentenceEncoder.ts';
import { defaultThreadCount, int8ProductsSaturate, OnnxSession } from './session.ts';

/** SONAR's has 4.9 MB; a file beyond this is not a SentencePiece model. */
const maxTokenizerBytes = 64 * 1024 * 1024;

/** Opens one graph of a folder on the device that was chosen. */
type OpenGraph = <S extends Signature>(
  folder: string,
  entry: GraphEntry,
  label: string,
  signature: S,
) => Promise<OnnxSession<S>>;

/** A model folder in memory. Concept models and the entropy model are opened when they are first asked for. */
export class CompiledModel implements InferenceModel {
  readonly info: ModelInfo;
  readonly #placed: ReadonlyMap<string, PlacedConceptModel>;
  readonly #encoder: SentenceEncoder;
  readonly #decoder: SentenceDecoder;
  readonly #open: OpenGraph;
  readonly #folder: string;
  readonly #entropyEntry: EntropyEntry | null;
  #entropies: ByteEntropies | null = null;
  readonly #conceptModels = new Map<string, ConceptModel>();

  /**
   * Loads a model folder with its add-ons.
   *
   * @throws ModelMissingError when there is no manifest
   * @throws IntegrityError when a manifest is malformed, a file is missing or truncated, or an
   *   add-on does not belong to the model
   * @throws CheckpointFormatError, CheckpointUnsupportedError for the tokenizer
   * @throws SessionError when a graph cannot be opened
   */
  static async load(
    folder: string,
    { intraOpNumThreads = defaultThreadCount(), addOns = [], device: choice = 'auto' }: LoadOptions,
    chooseDevice: ChooseDevice,
    signal?: AbortSignal,
  ): Promise<CompiledModel> {
    const manifest = readModel(folder);
    const placed = placeConceptModels(folder, manifest, addOns);
    const { tokenizer: entry, encoder, decoder } = manifest;
    const bytes = readFileSync(join(folder, checkTokenizerSize(entry.file).file));
    const tokenizer = SonarTokenizer.fromBytes(bytes, entry.langs, entry.file.file);
    if (tokenizer.vocabSize !== decoder.vocabSize) {
      throw new IntegrityError(
        `${entry.file.file}: expected ${decoder.vocabSize} tokens, found ${tokenizer.vocabSize}`,
      );
    }
    const vocabulary = openDecoderVocabulary(folder, decoder, tokenizer);
    signal?.throwIfAborted();

    const avoidsSaturation = await int8ProductsSaturate();
    const open = (device: Device): OpenGraph => {
      const { executionProviders, keepsTensors } = device;
      const options = { executionProviders, keepsTensors, intraOpNumThreads, avoidsSaturation };
      return (from, graph, label, signature) =>
        OnnxSession.create(from, graph, label, signature, options);
    };
    const conceptModels = [...placed.values()].map(({ entry }) => entry);
    const wanted = await chooseDevice(choice, { folder, manifest, conceptModels }, signal);
    const { value: encoderGraph, ...chosen } = await openOnDevice(wanted, (candidate) =>
      open(candidate)(folder, encoder.graph, 'encoder', encoderSignature),
    );
    const { device } = chosen;
    const opened: { dispose(): Promise<void> }[] = [encoderGraph];
    try {
      signal?.throwIfAborted();
      const prepare = await open(device)(
        folder,
        decoder.prepare,
        'decoder prepare',
        prepareSignature,
      );
      opened.push(prepare);
      const step = await open(device)(folder, decoder.step, 'decoder step', stepSignature);
      opened.push(step);
      signal?.throwIfAborted();
      return new CompiledModel(
        folder,
        manifest,
        placed,
        chosen,
        new SentenceEncoder(encoderGraph, encoder, tokenizer),
        new SentenceDecoder({ prepare, step }, decoder, tokenizer, vocabulary),
        open(device),
      );
    } catch (error) {
      for (const graph of opened) await graph.dispose();
      throw error;
    }
  }

  private constructor(
    folder: string,
    manifest: ModelManifest,
    placed: ReadonlyMap<string, PlacedConceptModel>,
    { device, note }: ChosenDevice,
    encoder: SentenceEncoder,
    decoder: SentenceDecoder,
    open: OpenGraph,
  ) {
    this.#folder = folder;
    this.#entropyEntry = manifest.entropy;
    this.#placed = placed;
    this.#encoder = encoder;
    this.#decoder = decoder;
    this.#open = open;
    this.info = {
      name: manifest.name,
      embeddingDim: manifest.embeddingDim,
      langs: manifest.tokenizer.langs,
      defaultLang: manifest.tokenizer.defaultLang,
      conceptModels: [...placed.keys()],
      hasEntropies: manifest.entropy !== null,
      generations: Object.fromEntries(
        [...placed].map(([name, { entry }]) => [name, entry.generation]),
      ),
      samplings: Object.fromEntries([...placed].map(([name, { entry }]) => [name, entry.sampling])),
      confidences: Object.fromEntries(
        [...placed].map(([name, { entry }]) => [name, entry.confidence]),
      ),
      normalizers: Object.fromEntries(
        [...placed].map(([name, { folder, entry }]) => {
          const files = conceptModelFiles(folder, manifest.embeddingDim);
          return [name, files.normalizer(entry.normalizer).vectors];
        }),
      ),
      directions: readDirections(folder, manifest),
      device: device.name,
      deviceNote: note,
    };
  }

  encode(request: EncodeRequest): AsyncGenerator<undefined, Float32Array[]> {
    return this.#encoder.encode(request);
  }

  async *entropies(texts: readonly string[]): AsyncGenerator<undefined, Float32Array[]> {
    return yield* (await this.#openEntropies()).entropies(texts);
  }

  async *surprisals(texts: readonly string[]): AsyncGenerator<undefined, Float32Array[]> {
    return yield* (await this.#openEntropies()).surprisals(texts);
  }

  async decode(request: DecodeRequest, signal?: AbortSignal): Promise<DecodedSentence[]> {
    const { embeddings, ...options } = request;
    this.#checkEmbeddings(embeddings);
    return this.#decoder.decode(embeddings, options, signal);
  }

  async predict(
    { context, options }: PredictRequest,
    signal?: AbortSignal,
  ): Promise<Float32Array[]> {
    this.#checkEmbeddings(context);
    if (context.length === 0) {
      throw new InvalidRequestError('context: expected at least one concept, found none');
    }
    const { count } = options;
    if (!Number.isInteger(count) || count < 1 || count > maxCandidates) {
      throw new InvalidRequestError(`count: expected 1 to ${maxCandidates}, found ${count}`);
    }
    const model = await this.#conceptModel(options.lcm);
    return model.predict(context, options, signal);
  }

  async dispose(): Promise<void> {
    await this.#encoder.dispose();
    await this.#decoder.dispose();
    await this.#entropies?.dispose();
    for (const model of this.#conceptModels.values()) await model.dispose();
    this.#conceptModels.clear();
  }

  async #openEntropies(): Promise<ByteEntropies> {
    const entry = this.#entropyEntry;
    if (entry === null) {
      throw new InvalidRequestError('entropies: expected a model with a byte model, found none');
    }
    this.#entropies ??= new ByteEntropies(
      await this.#open(this.#folder, entry.graph, 'entropy', entropySignature),
      entry,
    );
    return this.#entropies;
  }

  async #conceptModel(name: string): Promise<ConceptModel> {
    const opened = this.#conceptModels.get(name);
    if (opened !== undefined) return opened;
    const placed = this.#placed.get(name);
    if (placed === undefined) {
      const known = this.info.conceptModels.join(', ');
      throw new InvalidRequestError(`concept model: expected one of ${known}, found ${name}`);
    }
    const { folder, entry } = placed;
    const files = conceptModelFiles(folder, this.info.embeddingDim);
    const model = await openConceptModel(entry, files, (...graph) => this.#open(folder, ...graph));
    this.#conceptModels.set(name, model);
    return model;
  }

  #checkEmbeddings(embeddings: readonly Float32Array[]): void {
    for (const [i, embedding] of embeddings.entries()) {
      const { embeddingDim } = this.info;
      if (embedding.length !== embeddingDim) {
        throw new InvalidRequestError(
          `embedding ${i}: expected ${embeddingDim} numbers, found ${embedding.length}`,
        );
      }
      if (!isFiniteVector(embedding)) {
        throw new InvalidRequestError(`embedding ${i}: expected finite numbers, found others`);
      }
    }
  }
}

function checkTokenizerSize(entry: FileEntry): typeof entry {
  if (entry.sizeBytes <= maxTokenizerBytes) return entry;
  throw new IntegrityError(
    `${entry.file}: expected at most ${maxTokenizerBytes} bytes, found ${entry.sizeBytes}`,
  );
}

function readDirections(folder: string, { directions, embeddingDim }: ModelManifest) {
  if (directions === null) return {};
  const { names, file } = directions;
  const bytes = readFileSync(join(folder, file.file));
  return parseDirections(bytes, names, { embeddingDim, label: file.file });
}

function openDecoderVocabulary(
  folder: string,
  { vocabSize, vocabInfo, shortlist }: DecoderEntry,
  tokenizer: SonarTokenizer,
): DecoderVocabulary {
  if (shortlist === null) return wholeVocabulary(vocabSize);
  const { langs, file } = shortlist;
  const { unkIdx, bosIdx, eosIdx, padIdx } = vocabInfo;
  return parseShortlist(readFileSync(join(folder, file.file)), {
    vocabSize,
    needed: [unkIdx, bosIdx, eosIdx, padIdx, ...langs.flatMap((lang) => tokenizer.prompt(lang))],
    label: file.file,
  });
}
