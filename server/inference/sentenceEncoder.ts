import { InvalidRequestError, SessionError } from '../base/errors.ts';
import type { EncoderEntry } from '../model/manifest.ts';
import { tensor } from '../tensor/tensor.ts';
import { isFiniteVector, splitRows } from '../tensor/vector.ts';
import type { encoderSignature, GraphSession } from './graphSession.ts';
import type { EncodeRequest } from './inference.ts';

/** What the encoder asks of a tokenizer. */
export interface SourceTokenizer {
  /**
   * Returns the encoder's input: the language, the pieces of `text`, `</s>`.
   *
   * @throws InvalidRequestError when the language is unknown
   */
  encodeSource(text: string, lang: string): readonly number[];
}

/** Sentences that are tokenised and sorted together: more would keep others waiting. */
const maxSentencesPerSort = 512;
/** Sentences of one batch. */
const maxSentencesPerBatch = 32;
/** Tokens of one batch, padding included: what a laptop does in well under 100 ms. */
const maxTokensPerBatch = 512;
/** Padding of a row that is always fine, and above it a share of the row's length. */
const minPadding = 4;
const maxPaddingShare = 0.25;

/** Tokens of a sentence and its place in the request. */
export interface Source {
  index: number;
  ids: readonly number[];
}

/** Sentences → embeddings. */
export class SentenceEncoder {
  readonly #graph: GraphSession<typeof encoderSignature>;
  readonly #entry: EncoderEntry;
  readonly #tokenizer: SourceTokenizer;

  constructor(
    graph: GraphSession<typeof encoderSignature>,
    entry: EncoderEntry,
    tokenizer: SourceTokenizer,
  ) {
    this.#graph = graph;
    this.#entry = entry;
    this.#tokenizer = tokenizer;
  }

  /**
   * Encodes batch by batch, with a pause after each, in which other work may be done. An over-long
   * sentence loses its tail, `</s>` included, as in the reference, unless it is to be refused.
   *
   * reference: TextToEmbeddingModelPipeline.predict; TextToTextModelPipeline refuses
   *
   * @returns one embedding per sentence, in order, [E] each
   * @throws InvalidRequestError when a language is unknown, their number is not that of the
   *   sentences, or a sentence is refused
   * @throws SessionError when the graph fails or an embedding is not finite
   */
  async *encode(request: EncodeRequest): AsyncGenerator<undefined, Float32Array[]> {
    const { sentences, lang } = request;
    if (typeof lang !== 'string' && lang.length !== sentences.length) {
      throw new InvalidRequestError(
        `languages: expected ${sentences.length}, one for each sentence, found ${lang.length}`,
      );
    }
    const embeddings: Float32Array[] = new Array(sentences.length);
    for (let start = 0; start < sentences.length; start += maxSentencesPerSort) {
      const end = Math.min(start + maxSentencesPerSort, sentences.length);
      const sources: Source[] = [];
      for (let index = start; index < end; index++) sources.push(this.#source(request, index));
      for (const batch of lengthBatches(sources)) {
        const encoded = await this.#encodeBatch(batch.map(({ ids }) => ids));
        for (const [row, { index }] of batch.entries()) {
          embeddings[index] = encoded[row] as Float32Array;
        }
        yield;
      }
    }
    return embeddings;
  }

  async dispose(): Promise<void> {
    await this.#graph.dispose();
  }

  #source({ sentences, lang, overlong }: EncodeRequest, index: number): Source {
    const { maxSeqLen } = this.#entry;
    const own = typeof lang === 'string' ? lang : (lang[index] ?? '');
    const ids = this.#tokenizer.encodeSource(sentences[index] ?? '', own);
    if (overlong === 'refused' && ids.length > maxSeqLen) {
      throw new InvalidRequestError(
        `sentence ${index + 1}: expected at most ${maxSeqLen} tokens, found ${ids.length}`,
      );
    }
    return { index, ids: ids.slice(0, maxSeqLen) };
  }

  async #encodeBatch(rows: readonly (readonly number[])[]): Promise<Float32Array[]> {
    const length = Math.max(...rows.map((ids) => ids.length));
    const shape = [rows.length, length];
    const inputIds = new BigInt64Array(rows.length * length); // [N, S]
    const attentionMask = new BigInt64Array(rows.length * length); // [N, S]
    for (const [row, ids] of rows.entries()) {
      inputIds.set(ids.map(BigInt), row * length);
      attentionMask.fill(1n, row * length, row * length + ids.length);
    }
    const { sentence_embedding } = await this.#graph.run(
      {
        input_ids: tensor('int64', shape, inputIds),
        attention_mask: tensor('int64', shape, attentionMask),
      },
      ['sentence_embedding'],
    );
    if (!isFiniteVector(sentence_embedding.data)) {
      throw new SessionError('encoder: sentence_embedding: expected finite numbers, found others');
    }
    return splitRows(sentence_embedding.data, sentence_embedding.shape[1] as number);
  }
}

/** Groups sources of similar length, shortest first, so that little is computed for padding. */
export function lengthBatches(sources: readonly Source[]): Source[][] {
  const batches: Source[][] = [];
  let batch: Source[] = [];
  for (const source of sources.toSorted((a, b) => a.ids.length - b.ids.length)) {
    const length = source.ids.length;
    const shortest = batch[0]?.ids.length ?? length;
    const isFull =
      batch.length === maxSentencesPerBatch ||
      (batch.length + 1) * length > maxTokensPerBatch ||
      length - shortest > Math.max(minPadding, maxPaddingShare * length);
    if (isFull && batch.length > 0) {
      batches.push(batch);
      batch = [];
    }
    batch.push(source);
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}
