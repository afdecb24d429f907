import type {
  DecodedSentence,
  DecodeRequest,
  EncodeRequest,
  Inference,
  LoadedModel,
  NormalizerVectors,
  PredictRequest,
} from '../../server/inference/inference.ts';
import { lcmGeneration } from '../../server/model/parseGeneration.ts';
import { Random } from '../../server/tensor/random.ts';

/** Dimensions besides the first two. */
const restDim = 16;

/** Raw, the other dimensions are too small to count; in the normalised space they alone do. */
const restScale = 1e-3;

/** Returns the embedding of a length: it and 1, and what tells different lengths apart. */
export function fakeEmbedding(length: number): Float32Array {
  const rest = new Random(length, 0).gaussians(restDim);
  return Float32Array.of(length, 1, ...rest.map((value) => restScale * value));
}

const fakeNormalizer: NormalizerVectors = {
  center: new Float32Array(2 + restDim),
  scales: new Float32Array(2 + restDim).fill(restScale).fill(1e9, 0, 2),
};

/**
 * A model that knows only lengths: a sentence's embedding is that of its length, a predicted
 * concept that of the context's last one, longer by one for each candidate, and it is written as
 * its length.
 */
export class FakeInference implements Inference {
  /** The sentences of every request to encode, in order. */
  readonly encoded: string[][] = [];
  /** The languages of the same, one for each sentence. */
  readonly encodedLangs: string[][] = [];
  readonly decoded: DecodeRequest[] = [];
  readonly predicted: PredictRequest[] = [];
  readonly model: LoadedModel;

  constructor(langs: readonly string[] = ['eng_Latn']) {
    this.model = {
      name: 'fake',
      embeddingDim: 2 + restDim,
      langs,
      defaultLang: langs[0] ?? '',
      conceptModels: ['base', 'two-tower'],
      hasEntropies: false,
      generations: { base: lcmGeneration, 'two-tower': lcmGeneration },
      samplings: {},
      confidences: {},
      normalizers: { base: fakeNormalizer, 'two-tower': null },
      directions: {},
      device: 'cpu',
      deviceNote: null,
      loadMs: 0,
    };
  }

  async load(): Promise<LoadedModel> {
    return this.model;
  }

  async encode(request: EncodeRequest, signal?: AbortSignal): Promise<Float32Array[]> {
    signal?.throwIfAborted();
    const { sentences, lang } = request;
    this.encoded.push([...sentences]);
    this.encodedLangs.push(typeof lang === 'string' ? sentences.map(() => lang) : [...lang]);
    return sentences.map(({ length }) => fakeEmbedding(length));
  }

  async decode(request: DecodeRequest, signal?: AbortSignal): Promise<DecodedSentence[]> {
    signal?.throwIfAborted();
    this.decoded.push(request);
    return request.embeddings.map(([length], i) => ({
      text: `It has ${length} letters.`,
      score: -i,
    }));
  }

  async predict(request: PredictRequest, signal?: AbortSignal): Promise<Float32Array[]> {
    signal?.throwIfAborted();
    this.predicted.push(request);
    const last = request.context.at(-1)?.[0] ?? 0;
    return Array.from({ length: request.options.count }, (_, i) => fakeEmbedding(last + i));
  }

  /** Every byte is as unsure as the other. */
  async entropies(texts: readonly string[], signal?: AbortSignal): Promise<Float32Array[]> {
    signal?.throwIfAborted();
    return texts.map((text) => new Float32Array(Buffer.byteLength(text) + 1).fill(2));
  }

  /** A byte is as surprising as its value. */
  async surprisals(texts: readonly string[], signal?: AbortSignal): Promise<Float32Array[]> {
    signal?.throwIfAborted();
    return texts.map((text) => Float32Array.from(Buffer.from(text)));
  }

  async dispose(): Promise<void> {}
}
