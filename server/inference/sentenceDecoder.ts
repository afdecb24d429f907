import { InvalidRequestError, SessionError } from '../base/errors.ts';
import type { DecoderEntry, ShortlistEntry } from '../model/manifest.ts';
import {
  type BeamSearchOptions,
  beamSearch,
  beamSearchDefaults,
  type Hypothesis,
  promptLength,
} from './beamSearch.ts';
import { type DecoderGraphs, DecoderSteps } from './decoderSteps.ts';
import type { DecoderVocabulary } from './decoderVocabulary.ts';
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

export interface DecodeOptions extends Partial<BeamSearchOptions> {
  lang: string;
  /** Logits are divided by it. */
  temperature?: number;
  /** Wordings that are wanted of each embedding, at most the beam's size; 1 when absent. */
  hypotheses?: number;
}

/** Hypotheses in one step, whose caches are in memory twice while it runs. */
const maxRows = 64;

/** Embeddings → sentences. */
export class SentenceDecoder {
  readonly #graphs: DecoderGraphs;
  readonly #entry: DecoderEntry;
  readonly #tokenizer: TargetTokenizer;
  readonly #vocabulary: DecoderVocabulary;

  /** @param vocabulary  the tokens of graph `step` */
  constructor(
    graphs: DecoderGraphs,
    entry: DecoderEntry,
    tokenizer: TargetTokenizer,
    vocabulary: DecoderVocabulary,
  ) {
    this.#graphs = graphs;
    this.#entry = entry;
    this.#tokenizer = tokenizer;
    this.#vocabulary = vocabulary;
  }

  /**
   * Returns the best sentence for each embedding, in order, and beside it as many other wordings as
   * are wanted and the beam has finished. A beam of one is greedy decoding.
   *
   * reference: EmbeddingToTextModelPipeline.predict
   *
   * @param embeddings  raw, [E] each
   * @param signal      checked before each token
   * @throws InvalidRequestError when the language is unknown or not one of the shortlist's, or a
   *   limit is out of range
   * @throws SessionError when a graph fails or its probabilities are not numbers
   */
  async decode(
    embeddings: readonly Float32Array[],
    options: DecodeOptions,
    signal?: AbortSignal,
  ): Promise<DecodedSentence[]> {
    const { hypotheses: wanted = 1, ...search } = options;
    checkRange('hypotheses', wanted, 1, search.beamSize ?? beamSearchDefaults.beamSize);
    const found = await this.hypotheses(embeddings, search, signal);
    return found.map((hypotheses) => {
      const [best, ...others] = this.#wordings(hypotheses).slice(0, wanted);
      if (best === undefined) {
        throw new SessionError('decoder step: expected log-probabilities, found NaN');
      }
      return wanted === 1 ? best : { ...best, others };
    });
  }

  /** Writes hypotheses down; the first of those that several series of tokens spell alike. */
  #wordings(hypotheses: readonly Hypothesis[]): { text: string; score: number }[] {
    const wordings = new Map<string, number>();
    for (const { tokens, score } of hypotheses) {
      const text = this.#tokenizer.decode(tokens);
      if (!wordings.has(text)) wordings.set(text, score);
    }
    return Array.from(wordings, ([text, score]) => ({ text, score }));
  }

  /** Returns all hypotheses for each embedding, best first; otherwise as `decode`. */
  async hypotheses(
    embeddings: readonly Float32Array[],
    options: Omit<DecodeOptions, 'hypotheses'>,
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
    checkLanguage(lang, this.#entry.shortlist);
    const model = { entry: this.#entry, vocabulary: this.#vocabulary };

    const found: Hypothesis[][] = [];
    const perBatch = Math.floor(maxRows / beamSize);
    for (let start = 0; start < embeddings.length; start += perBatch) {
      signal?.throwIfAborted();
      const batch = embeddings.slice(start, start + perBatch);
      const steps = await DecoderSteps.start(this.#graphs, model, batch, temperature);
      try {
        found.push(...(await this.#search(steps, prompt, settings, signal)));
      } finally {
        steps.dispose();
      }
    }
    return found;
  }

  async #search(
    steps: DecoderSteps,
    prompt: readonly [number, number],
    settings: BeamSearchOptions,
    signal?: AbortSignal,
  ): Promise<Hypothesis[][]> {
    const vocabulary = { ...this.#entry.vocabInfo, size: this.#vocabulary.size };
    const [token, lang] = prompt;
    const scores = await steps.first(token, lang);
    const prompts = Array.from(scores, (score) => ({ token: lang, score }));
    const next = (tokens: readonly number[], parents: readonly number[], topCount: number) =>
      steps.next(tokens, parents, topCount);
    return beamSearch(next, prompts, settings, vocabulary, signal);
  }

  async dispose(): Promise<void> {
    await this.#graphs.prepare.dispose();
    await this.#graphs.step.dispose();
  }
}

/** Without its own tokens a language would become a series of unknown ones. */
function checkLanguage(lang: string, shortlist: ShortlistEntry | null): void {
  if (shortlist === null || shortlist.langs.includes(lang)) return;
  throw new InvalidRequestError(
    `language ${lang}: expected one that the decoder was compiled for, ` +
      `${shortlist.langs.join(', ')}, found another`,
  );
}

function checkRange(name: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new InvalidRequestError(
    `${name}: expected an integer from ${min} to ${max}, found ${value}`,
  );
}
