import type {
  DecodedSentence,
  DecodeRequest,
  EncodeRequest,
  Inference,
  LoadedModel,
  PredictRequest,
} from '../../server/inference/inference.ts';

/**
 * A model of two dimensions: a sentence's embedding is its length and 1, a predicted concept is
 * the context's last one, longer by one for each candidate, and is written as its length.
 */
export class FakeInference implements Inference {
  /** The sentences of every request to encode, in order. */
  readonly encoded: string[][] = [];
  readonly predicted: PredictRequest[] = [];
  readonly model: LoadedModel = {
    name: 'fake',
    embeddingDim: 2,
    langs: ['eng_Latn'],
    defaultLang: 'eng_Latn',
    conceptModels: ['base', 'two-tower'],
    device: 'cpu',
    deviceNote: null,
    loadMs: 0,
  };

  async load(): Promise<LoadedModel> {
    return this.model;
  }

  async encode({ sentences }: EncodeRequest, signal?: AbortSignal): Promise<Float32Array[]> {
    signal?.throwIfAborted();
    this.encoded.push([...sentences]);
    return sentences.map((text) => Float32Array.of(text.length, 1));
  }

  async decode({ embeddings }: DecodeRequest, signal?: AbortSignal): Promise<DecodedSentence[]> {
    signal?.throwIfAborted();
    return embeddings.map(([length], i) => ({ text: `It has ${length} letters.`, score: -i }));
  }

  async predict(request: PredictRequest, signal?: AbortSignal): Promise<Float32Array[]> {
    signal?.throwIfAborted();
    this.predicted.push(request);
    const last = request.context.at(-1)?.[0] ?? 0;
    return Array.from({ length: request.options.count }, (_, i) => Float32Array.of(last + i, 1));
  }

  async dispose(): Promise<void> {}
}
