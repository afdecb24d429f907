import { samplingOptions } from '../../server/features/sampling.ts';
import type { Inference, LoadedModel } from '../../server/inference/inference.ts';
import type { Vectors } from './geometry.ts';

/** Prompt of two tokens and at most 48 pieces, as training/codec.py decodes. */
const maxSeqLen = 50;

/** The compiled model as the measurements use it. */
export class Product {
  readonly inference: Inference;
  readonly model: LoadedModel;

  constructor(inference: Inference, model: LoadedModel) {
    this.inference = inference;
    this.model = model;
  }

  encode(sentences: readonly string[], lang = this.model.defaultLang): Promise<Float32Array[]> {
    return this.inference.encode({ sentences, lang });
  }

  /** Decodes greedily, as the Python side does; suggestions are decoded with a beam. */
  async decode(embeddings: Vectors): Promise<string[]> {
    const lang = this.model.defaultLang;
    const decoded = await this.inference.decode({ embeddings, lang, beamSize: 1, maxSeqLen });
    return decoded.map(({ text }) => text);
  }

  /** Samples as the product does when the writer has set nothing. */
  predict(lcm: string, context: Vectors, count: number): Promise<Float32Array[]> {
    const options = samplingOptions(this.model, lcm, { count });
    return this.inference.predict({ context, options });
  }
}
