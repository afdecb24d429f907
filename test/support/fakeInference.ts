import type {
  DecodedSentence,
  DecodeRequest,
  EncodeRequest,
  Inference,
  LoadedModel,
  PredictRequest,
} from '../../server/inference/inference.ts';
import { lcmGeneration } from '../../server/model/parseGeneration.ts';

/**
 * A model of two dimensions: a sentence's embedding is its length and 1, a predicted concept is
 * the context's last one, longer by one for each candidate, and is written as its length.
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
      embeddingDim: 2,
      langs,
      defaultLang: langs[0] ?? '',
      conceptModels: ['base', 'two-tower'],
      generations: { base: lcmGeneration, 'two-tower': lcmGeneration },
      samplings: {},
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
    return sentences.map((text) => Float32Array.of(text.length, 1));
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
    return Array.from({ length: request.options.count }, (_, i) => Float32Array.of(last + i, 1));
  }

  async dispose(): Promise<void> {}
}
