import { assert } from '../base/errors.ts';
import type { DecoderEntry } from '../model/manifest.ts';
import { type Tensor, tensor } from '../tensor/tensor.ts';
import { concatenate, splitRows } from '../tensor/vector.ts';
import type { NextTokens } from './beamSearch.ts';
import type { DecoderVocabulary } from './decoderVocabulary.ts';
import type { GraphSession, prepareSignature, stepSignature } from './graphSession.ts';
import { TokenPool } from './tokenPool.ts';

export interface DecoderGraphs {
  prepare: GraphSession<typeof prepareSignature>;
  step: GraphSession<typeof stepSignature>;
}

/**
 * The decoder's state between tokens: its cache, and the concept and the history of every row.
 * Tokens are ids of the tokenizer, whatever the graph counts in.
 */
export class DecoderSteps {
  readonly #step: DecoderGraphs['step'];
  readonly #vocabulary: DecoderVocabulary;
  readonly #eosIdx: number;
  readonly #temperature: Tensor<'float32'>;
  /** The concept's constants, [L, D] each. */
  readonly #concepts: readonly Float32Array[];
  readonly #conceptShape: readonly number[];
  #conceptOfRow: readonly number[];
  /** The places in the cache of each row's tokens, oldest first, [N, T]. */
  #ancestors: readonly (readonly number[])[];
  #hiddenStates: Tensor<'float32'>;
  readonly #pool: TokenPool;

  static async start(
    { prepare, step }: DecoderGraphs,
    { entry, vocabulary }: { entry: DecoderEntry; vocabulary: DecoderVocabulary },
    embeddings: readonly Float32Array[],
    temperature: number,
  ): Promise<DecoderSteps> {
    const { encoder_hidden_states } = await prepare.run(
      {
        sentence_embedding: tensor(
          'float32',
          [embeddings.length, embeddings[0]?.length ?? 0],
          concatenate(embeddings),
        ),
      },
      ['encoder_hidden_states'],
    );
    return new DecoderSteps(
      step,
      encoder_hidden_states,
      new TokenPool(entry.numLayers, entry.modelDim),
      { temperature, vocabulary, eosIdx: entry.vocabInfo.eosIdx },
    );
  }

  private constructor(
    step: DecoderGraphs['step'],
    hiddenStates: Tensor<'float32'>,
    pool: TokenPool,
    {
      temperature,
      vocabulary,
      eosIdx,
    }: { temperature: number; vocabulary: DecoderVocabulary; eosIdx: number },
  ) {
    const [count = 0, numLayers = 0, modelDim = 0] = hiddenStates.shape;
    this.#step = step;
    this.#vocabulary = vocabulary;
    this.#eosIdx = eosIdx;
    this.#temperature = tensor('float32', [1], Float32Array.of(temperature));
    this.#concepts = splitRows(hiddenStates.data, numLayers * modelDim);
    this.#conceptShape = [numLayers, modelDim];
    this.#conceptOfRow = Array.from({ length: count }, (_, i) => i);
    this.#ancestors = this.#conceptOfRow.map(() => []);
    this.#hiddenStates = hiddenStates;
    this.#pool = pool;
  }

  /** Returns log p of `next` after `token`, for each concept, [N]. */
  async first(token: number, next: number): Promise<Float32Array> {
    const rows = this.#concepts.map((_, row) => row);
    const tokens = rows.map(() => token);
    const { scored_log_probs } = await this.#run(tokens, rows, 1, next);
    return scored_log_probs.data;
  }

  /** Is the `DecodeStep` of the beam search. */
  async next(
    tokens: readonly number[],
    parents: readonly number[],
    topCount: number,
  ): Promise<NextTokens> {
    const outputs = await this.#run(tokens, parents, topCount, this.#eosIdx);
    return {
      topLogProbs: outputs.top_log_probs.data,
      topTokens: this.#vocabulary.idsOf(outputs.top_tokens.data),
      eosLogProbs: outputs.scored_log_probs.data,
    };
  }

  /** Runs one token per row and keeps the cache. */
  async #run(
    tokens: readonly number[],
    parents: readonly number[],
    topCount: number,
    scoredToken: number,
  ) {
    this.#reorder(parents);
    const ancestors = parents.map((parent) => this.#ancestors[parent] ?? []);
    const toPlace = (token: number) => BigInt(this.#vocabulary.placeOf(token));
    const tokensBefore = this.#pool.size;
    const outputs = await this.#step.run(
      {
        input_ids: tensor('int64', [tokens.length, 1], BigInt64Array.from(tokens, toPlace)),
        ancestors: tensor(
          'int64',
          [tokens.length, ancestors[0]?.length ?? 0],
          BigInt64Array.from(ancestors.flat(), BigInt),
        ),
        encoder_hidden_states: this.#hiddenStates,
        past_key_values: this.#pool.past,
        kept_from: tensor('int64', [1], BigInt64Array.of(BigInt(this.#pool.keptFrom))),
        top_count: tensor('int64', [1], BigInt64Array.of(BigInt(topCount))),
        temperature: this.#temperature,
        scored_tokens: tensor('int64', [1], BigInt64Array.of(toPlace(scoredToken))),
      },
      ['top_log_probs', 'top_tokens', 'scored_log_probs', 'present_key_values'],
    );
    this.#ancestors = ancestors.map((places, row) => [...places, tokensBefore + row]);
    this.#pool.append(outputs.present_key_values);
    return outputs;
  }

  /** Gives the cache back; no step may follow. */
  dispose(): void {
    this.#pool.dispose();
  }

  /** Gives every row the concept of the row that it continues. */
  #reorder(parents: readonly number[]): void {
    const before = this.#conceptOfRow;
    const conceptOfRow = parents.map((parent) => before[parent] as number);
    const isSame =
      before.length === conceptOfRow.length && before.every((c, row) => c === conceptOfRow[row]);
    if (isSame) return;
    const rows = conceptOfRow.map((concept) => {
      const constants = this.#concepts[concept];
      assert(constants !== undefined, `concept ${concept} of ${this.#concepts.length}`);
      return constants;
    });
    this.#conceptOfRow = conceptOfRow;
    this.#hiddenStates = tensor('float32', [rows.length, ...this.#conceptShape], concatenate(rows));
  }
}
