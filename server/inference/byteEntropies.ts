import { SessionError } from '../base/errors.ts';
import type { EntropyEntry } from '../model/manifest.ts';
import { tensor } from '../tensor/tensor.ts';
import { isFiniteVector, splitRows } from '../tensor/vector.ts';
import { bosId, byteIds } from '../text/patching.ts';
import type { entropySignature, GraphSession } from './graphSession.ts';
import { lengthBatches } from './sentenceEncoder.ts';

/** A stretch of a text that is read at once. */
interface Window {
  /** Which text. */
  text: number;
  /** Position of its first id in the text. */
  start: number;
  /** Positions whose values count, half-open; what is before is there as context. */
  from: number;
  to: number;
  ids: readonly number[];
}

type Output = keyof (typeof entropySignature)['outputs'];

/** Texts → the entropy and the surprisal of every next byte. */
export class ByteEntropies {
  readonly #graph: GraphSession<typeof entropySignature>;
  readonly #entry: EntropyEntry;

  constructor(graph: GraphSession<typeof entropySignature>, entry: EntropyEntry) {
    this.#graph = graph;
    this.#entry = entry;
  }

  /**
   * Reads batch by batch, with a pause after each, in which other work may be done. Every text
   * stands alone; one that is longer than the model reads is read in windows that overlap by half.
   *
   * @returns for each text H, nats: H[i] is about byte i of its UTF-8, and the last one about what
   *   follows the text; one more than it has bytes
   * @throws SessionError when the graph fails or a number is not finite
   */
  entropies(texts: readonly string[]): AsyncGenerator<undefined, Float32Array[]> {
    return this.#read(texts, 'entropy');
  }

  /**
   * Reads as `entropies` does.
   *
   * @returns for each text −log p of byte i of its UTF-8, nats; as many as it has bytes
   * @throws SessionError when the graph fails or a number is not finite
   */
  async *surprisals(texts: readonly string[]): AsyncGenerator<undefined, Float32Array[]> {
    const surprisals = yield* this.#read(texts, 'surprisal');
    return surprisals.map((values) => values.slice(0, -1)); // nothing comes after the last
  }

  async *#read(
    texts: readonly string[],
    output: Output,
  ): AsyncGenerator<undefined, Float32Array[]> {
    const ids = texts.map(byteIds);
    const values = ids.map(({ length }) => new Float32Array(length));
    const windows = ids.flatMap((textIds, text) => windowsOf(textIds, text, this.#entry.maxSeqLen));
    const sources = windows.map(({ ids: own }, index) => ({ index, ids: own }));
    for (const batch of lengthBatches(sources)) {
      const read = await this.#readBatch(
        batch.map((source) => source.ids),
        output,
      );
      for (const [row, { index }] of batch.entries()) {
        const { text, start, from, to } = windows[index] as Window;
        const found = read[row] as Float32Array;
        values[text]?.set(found.subarray(from - start, to - start), from);
      }
      yield;
    }
    return values;
  }

  async dispose(): Promise<void> {
    await this.#graph.dispose();
  }

  async #readBatch(rows: readonly (readonly number[])[], output: Output): Promise<Float32Array[]> {
    const length = Math.max(...rows.map((ids) => ids.length));
    const inputIds = new BigInt64Array(rows.length * length); // [N, S]
    for (const [row, ids] of rows.entries()) inputIds.set(ids.map(BigInt), row * length);
    const inputs = { input_ids: tensor('int64', [rows.length, length], inputIds) };
    const { [output]: values } = await this.#graph.run(inputs, [output]);
    if (!isFiniteVector(values.data)) {
      throw new SessionError(`entropy model: ${output}: expected finite numbers, found others`);
    }
    return splitRows(values.data, length);
  }
}

/**
 * Each window begins with BOS: those after the first one have it in the place of an id. What a window
 * says of its last id counts only at the end of the text, because it does not see what comes.
 */
function windowsOf(ids: readonly number[], text: number, maxSeqLen: number): Window[] {
  const stride = Math.max(1, Math.floor(maxSeqLen / 2));
  const windows: Window[] = [];
  for (let start = 0; start === 0 || start + maxSeqLen - stride < ids.length; start += stride) {
    const end = Math.min(start + maxSeqLen, ids.length);
    const from = start === 0 ? 0 : start + maxSeqLen - stride - 1;
    const to = end === ids.length ? end : end - 1;
    windows.push({ text, start, from, to, ids: [bosId, ...ids.slice(start + 1, end)] });
  }
  return windows;
}
