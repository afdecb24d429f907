import { assert, InvalidRequestError, SessionError } from '../base/errors.ts';
import type { DecoderEntry } from '../model/manifest.ts';
import { type Tensor, tensor } from '../tensor/tensor.ts';
import { concatenate, splitRows } from '../tensor/vector.ts';
import {
  type BeamSearchOptions,
  beamSearch,
  beamSearchDefaults,
  type Hypothesis,
  type NextTokens,
  promptLength,
} from './beamSearch.ts';
import type { GraphSession, prepareSignature, stepSignature } from './graphSession.ts';
import type { DecodedSentence } from './inference.ts';

/** What the decoder asks of a tokenizer. */
export interface TargetTokenizer {
  /**
   * Returns what a sentence of the language begins with: `</s>` and the language.
   *
   * @throws InvalidRequestError when the language is unknown
   */
  prompt(lang: string): readonly [number, number];
  /** Returns the text of token ids; special tokens become nothing. */
  decode(ids: readonly number[]): string;
}

export interface DecoderGraphs {
  prepare: GraphSession<typeof prepareSignature>;
  step: GraphSession<typeof stepSignature>;
}

export interface DecodeOptions extends Partial<BeamSearchOptions> {
  lang: string;
  /** Logits are divided by it. */
  temperature?: number;
}

/** Hypotheses in one step, whose caches are in memory twice while it runs. */
const maxRows = 64;

/** Embeddings → sentences. */
export class SentenceDecoder {
  readonly #graphs: DecoderGraphs;
  readonly #entry: DecoderEntry;
  readonly #tokenizer: TargetTokenizer;

  constructor(graphs: DecoderGraphs, entry: DecoderEntry, tokenizer: TargetTokenizer) {
    this.#graphs = graphs;
    this.#entry = entry;
    this.#tokenizer = tokenizer;
  }

  /**
   * Returns the best sentence for each embedding, in order. A beam of one is greedy decoding.
   *
   * reference: EmbeddingToTextModelPipeline.predict
   *
   * @param embeddings  raw, [E] each
   * @param signal      checked before each token
   * @throws InvalidRequestError when the language is unknown or a limit is out of range
   * @throws SessionError when a graph fails or its probabilities are not numbers
   */
  async decode(
    embeddings: readonly Float32Array[],
    options: DecodeOptions,
    signal?: AbortSignal,
  ): Promise<DecodedSentence[]> {
    const hypotheses = await this.hypotheses(embeddings, options, signal);
    return hypotheses.map(([best]) => {
      if (best === undefined) {
        throw new SessionError('decoder step: expected log-probabilities, found NaN');
      }
      return { text: this.#tokenizer.decode(best.tokens), score: best.score };
    });
  }

  /** Returns all hypotheses for each embedding, best first; otherwise as `decode`. */
  async hypotheses(
    embeddings: readonly Float32Array[],
    options: DecodeOptions,
    signal?: AbortSignal,
  ): Promise<Hypothesis[][]> {
    const { lang, temperature = 1, ...search } = options;
    const beamSize = search.beamSize ?? beamSearchDefaults.beamSize;
    checkRange('beamSize', beamSize, 1, maxRows);
    const limit = search.maxSeqLen ?? this.#entry.maxSeqLen;
    checkRange('maxSeqLen', limit, promptLength + 1, Number.MAX_SAFE_INTEGER);
    const maxSeqLen = Math.min(limit, this.#entry.maxSeqLen);
    const settings = { ...beamSearchDefaults, ...search, beamSize, maxSeqLen };
    const prompt = this.#tokenizer.prompt(lang);

    const found: Hypothesis[][] = [];
    const perBatch = Math.floor(maxRows / beamSize);
    for (let start = 0; start < embeddings.length; start += perBatch) {
      signal?.throwIfAborted();
      const batch = embeddings.slice(start, start + perBatch);
      const steps = await DecoderSteps.start(this.#graphs, this.#entry, batch, temperature);
      const logProbs = await steps.first(prompt[0]);
      const prompts = splitRows(logProbs, this.#entry.vocabSize).map((row) => ({
        token: prompt[1],
        score: row[prompt[1]] as number,
      }));
      const next = (tokens: readonly number[], parents: readonly number[], topCount: number) =>
        steps.next(tokens, parents, topCount);
      const { vocabInfo, vocabSize } = this.#entry;
      const vocabulary = { ...vocabInfo, size: vocabSize };
      found.push(...(await beamSearch(next, prompts, settings, vocabulary, signal)));
    }
    return found;
  }

  async dispose(): Promise<void> {
    await this.#graphs.prepare.dispose();
    await this.#graphs.step.dispose();
  }
}

/** The decoder's state between tokens: its cache, and the concept of every row. */
class DecoderSteps {
  readonly #step: DecoderGraphs['step'];
  readonly #temperature: Tensor<'float32'>;
  /** The concept's constants, [L, D] each. */
  readonly #concepts: readonly Float32Array[];
  readonly #conceptShape: readonly number[];
  #conceptOfRow: readonly number[];
  #hiddenStates: Tensor<'float32'>;
  #keyValues: Tensor<'float32'>;

  static async start(
    { prepare, step }: DecoderGraphs,
    entry: DecoderEntry,
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
    const { numLayers, numAttnHeads, headDim } = entry;
    const cacheShape = [numLayers, 2, embeddings.length, numAttnHeads, 0, headDim];
    return new DecoderSteps(
      step,
      encoder_hidden_states,
      tensor('float32', cacheShape, new Float32Array(0)),
      temperature,
    );
  }

  private constructor(
    step: DecoderGraphs['step'],
    hiddenStates: Tensor<'float32'>,
    keyValues: Tensor<'float32'>,
    temperature: number,
  ) {
    const [count = 0, numLayers = 0, modelDim = 0] = hiddenStates.shape;
    this.#step = step;
    this.#temperature = tensor('float32', [1], Float32Array.of(temperature));
    this.#concepts = splitRows(hiddenStates.data, numLayers * modelDim);
    this.#conceptShape = [numLayers, modelDim];
    this.#conceptOfRow = Array.from({ length: count }, (_, i) => i);
    this.#hiddenStates = hiddenStates;
    this.#keyValues = keyValues;
  }

  /** Returns log p of every token after `token`, for each concept, [N, V]. */
  async first(token: number): Promise<Float32Array> {
    const rows = this.#concepts.map((_, row) => row);
    const tokens = rows.map(() => token);
    const { log_probs } = await this.#run(tokens, rows, 1, ['log_probs', 'present_key_values']);
    return log_probs.data;
  }

  /** Is the `DecodeStep` of the beam search. */
  async next(
    tokens: readonly number[],
    parents: readonly number[],
    topCount: number,
  ): Promise<NextTokens> {
    const { top_log_probs, top_tokens, eos_log_prob } = await this.#run(tokens, parents, topCount, [
      'top_log_probs',
      'top_tokens',
      'eos_log_prob',
      'present_key_values',
    ]);
    return {
      topLogProbs: top_log_probs.data,
      topTokens: top_tokens.data,
      eosLogProbs: eos_log_prob.data,
    };
  }

  /** Runs one token per row and keeps the cache. What is not fetched is not copied. */
  async #run<Name extends keyof (typeof stepSignature)['outputs']>(
    tokens: readonly number[],
    parents: readonly number[],
    topCount: number,
    fetches: readonly ('present_key_values' | Name)[],
  ) {
    this.#reorder(parents);
    const outputs = await this.#step.run(
      {
        input_ids: tensor('int64', [tokens.length, 1], BigInt64Array.from(tokens, BigInt)),
        parents: tensor('int64', [parents.length], BigInt64Array.from(parents, BigInt)),
        encoder_hidden_states: this.#hiddenStates,
        past_key_values: this.#keyValues,
        top_count: tensor('int64', [1], BigInt64Array.of(BigInt(topCount))),
        temperature: this.#temperature,
      },
      fetches,
    );
    this.#keyValues = outputs.present_key_values;
    return outputs;
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

function checkRange(name: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new InvalidRequestError(
    `${name}: expected an integer from ${min} to ${max}, found ${value}`,
  );
}
