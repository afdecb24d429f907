import type { RewritingParts } from '../../server/features/rewriting/wordings.ts';
import type { EncodeSentences } from '../../server/features/sentenceConcepts.ts';
import type {
  DecodedSentence,
  DecodeRequest,
  PredictRequest,
} from '../../server/inference/inference.ts';
import { angleOf, atAngle } from './angles.ts';
import { FakeInference } from './fakeInference.ts';

/*
 * A model whose concepts are angles, in degrees: it writes an angle as the last word of a sentence,
 * in letters, since a number would be an invention.
 */

const letters = 'abcdefghij';

export function wordOf(angle: number): string {
  return String((angle + 360) % 360).replace(/\d/g, (digit) => letters[Number(digit)] ?? '');
}

/** Returns the angle that the last word of a sentence says. */
export function angleIn(sentence: string): number {
  const word = sentence.split(' ').at(-1) ?? '';
  return Number(word.replace(/[a-j]/g, (letter) => String(letters.indexOf(letter))));
}

/** Writes an angle; `wording` counts from 0. */
export type Write = (angle: number, wording: number) => string;

export class PlaneModel extends FakeInference {
  readonly #write: Write;
  readonly #next: readonly number[];
  /** Sentences that are strange to read. */
  readonly strange = new Set<string>();

  /** @param next  the angles that are predicted, whatever came before */
  constructor(write: Write = wordOf, next: readonly number[] = []) {
    super();
    this.#write = write;
    this.#next = next;
  }

  override async decode(request: DecodeRequest, signal?: AbortSignal): Promise<DecodedSentence[]> {
    signal?.throwIfAborted();
    this.decoded.push(request);
    const { embeddings, hypotheses = 1 } = request;
    return embeddings.map((embedding) => {
      const wordings = Array.from({ length: hypotheses }, (_, i) => ({
        text: this.#write(angleOf(embedding), i),
        score: -i,
      }));
      const [best = { text: '', score: 0 }, ...others] = wordings;
      return hypotheses === 1 ? best : { ...best, others };
    });
  }

  override async predict(request: PredictRequest, signal?: AbortSignal): Promise<Float32Array[]> {
    signal?.throwIfAborted();
    this.predicted.push(request);
    return this.#next.slice(0, request.options.count).map(atAngle);
  }

  override async surprisals(texts: readonly string[]): Promise<Float32Array[]> {
    return texts.map((text) => new Float32Array(text.length).fill(this.strange.has(text) ? 3 : 2));
  }
}

/** Every sentence says the angle of its last word. */
export const encodeAngles: EncodeSentences = async (sentences) =>
  sentences.map(({ text }) => ({ text, embedding: atAngle(angleIn(text)) }));

/** What rewriting is made with in the plane, where raw embeddings are concepts. */
export function planeParts(inference: PlaneModel, hasEntropies = false): RewritingParts {
  const same = (vector: Float32Array) => vector;
  return { inference, encode: encodeAngles, space: same, toEmbedding: same, hasEntropies };
}

/** Returns a sentence of the text that says an angle. */
export function placedAt(angle: number, before = '') {
  const text = before + wordOf(angle);
  return { text, embedding: atAngle(angle), concept: atAngle(angle) };
}
