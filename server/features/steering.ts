import type { Pull, Steering } from '../../protocol/completion.ts';
import { assert, InvalidRequestError } from '../base/errors.ts';
import { combine, norm, scale } from '../tensor/vector.ts';
import type { ConceptSpace } from './conceptSpace.ts';
import type { EncodeSentences } from './sentenceConcepts.ts';

/*
 * Bends what is predicted toward or away from a text, or in a direction that was learnt from text.
 *
 *   x̂ — a prediction in the concept space, of length 1     t̂ — a text, the same
 *   d — a direction, of length 1                            s — strength, 0 to 1
 *
 *   x̂′ ∝ x̂ + s Σ m,   m = t̂ − x̂ toward a text, − t̂ away from one, d in a direction
 *
 * and the result is as long as the prediction was. Lengths are set to 1 first because predictions
 * are shorter than concepts, each family's by its own factor: one strength means one angle.
 */

/** Steering with its texts encoded, for one model and its space. */
export interface ResolvedSteering {
  /** Two of the same model with equal keys bend alike. Has the writer's text in it. */
  readonly key: string;
  /** Bends a raw prediction, [E] → [E]. */
  readonly bend: (prediction: Float32Array) => Float32Array;
}

/** What steering is resolved with. */
export interface SteeringParts {
  encode: EncodeSentences;
  space: ConceptSpace;
  /** The way back from `space`. */
  raw: ConceptSpace;
  /** The language of the texts. */
  lang: string;
  /** What the model can be bent in by name: in the concept space, of length 1, [E] each. */
  directions: Readonly<Record<string, Float32Array>>;
}

/** More pulls than a writer keeps in mind; each moves every prediction. */
const maxPulls = 16;

/** UTF-16 units of a text: an encoder reads no more of it than a few sentences. */
const maxTextLength = 4096;

/**
 * Encodes the texts of some steering.
 *
 * @returns null for what bends nothing: then predictions stay as they are, bit for bit
 * @throws InvalidRequestError for a strength outside 0 to 1, a text without words or too long, too
 *   many pulls, and a direction that the model does not have
 */
export async function resolveSteering(
  steering: Steering | null,
  parts: SteeringParts,
  signal?: AbortSignal,
): Promise<ResolvedSteering | null> {
  if (steering === null) return null;
  checkSteering(steering);
  const { encode, space, raw, lang, directions } = parts;
  // In one order, because sums of floating-point numbers depend on it.
  const pulls = steering.pulls.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  const texts = pulls.flatMap((pull) => (pull.kind === 'direction' ? [] : [pull.text.trim()]));
  for (const pull of pulls) if (pull.kind === 'direction') directionOf(pull.name, directions);
  const { strength } = steering;
  if (strength === 0 || pulls.length === 0) return null;

  const concepts = await encode(
    texts.map((text) => ({ text, lang })),
    signal,
  );
  const embeddings = new Map(concepts.map(({ text, embedding }) => [text, embedding]));
  const moves = pulls.map((pull): Move => {
    if (pull.kind === 'direction') {
      return { kind: pull.kind, unit: directionOf(pull.name, directions) };
    }
    const embedding = embeddings.get(pull.text.trim());
    assert(embedding !== undefined, 'steering: expected the concept of every text');
    return { kind: pull.kind, unit: toUnit(space(embedding)) };
  });
  return {
    key: JSON.stringify([strength, lang, pulls.map(keyOf)]),
    bend: (prediction) => raw(bendPlaced(space(prediction), moves, strength)),
  };
}

/** One pull: its text or direction in the concept space, of length 1, [E]. */
interface Move {
  kind: Pull['kind'];
  unit: Float32Array;
}

/** Bends a prediction in the concept space, [E]. */
export function bendPlaced(
  prediction: Float32Array,
  moves: readonly Move[],
  strength: number,
): Float32Array {
  const length = norm(prediction);
  const start = toUnit(prediction);
  let bent = start;
  for (const { kind, unit } of moves) {
    bent = combine(1, bent, kind === 'away' ? -strength : strength, unit);
    if (kind === 'toward') bent = combine(1, bent, -strength, start);
  }
  return scale(length, toUnit(bent));
}

function toUnit(x: Float32Array): Float32Array {
  const length = norm(x);
  return length === 0 ? x : scale(1 / length, x);
}

function checkSteering({ pulls, strength }: Steering): void {
  if (!(strength >= 0 && strength <= 1)) {
    throw new InvalidRequestError(`strength: expected 0 to 1, found ${strength}`);
  }
  if (pulls.length > maxPulls) {
    throw new InvalidRequestError(`pulls: expected at most ${maxPulls}, found ${pulls.length}`);
  }
  for (const pull of pulls) {
    if (pull.kind === 'direction') continue;
    if (!/[\p{L}\p{N}]/u.test(pull.text) || pull.text.length > maxTextLength) {
      // Not the text itself: it is the writer's.
      throw new InvalidRequestError(
        `pull ${pull.kind}: expected a text with words of at most ${maxTextLength} units, found another`,
      );
    }
  }
}

function directionOf(
  name: string,
  directions: Readonly<Record<string, Float32Array>>,
): Float32Array {
  const direction = Object.hasOwn(directions, name) ? directions[name] : undefined;
  if (direction !== undefined) return direction;
  const known = Object.keys(directions).join(', ') || 'a model with directions';
  throw new InvalidRequestError(`direction: expected one of ${known}, found another`);
}

function keyOf(pull: Pull): string {
  return pull.kind === 'direction' ? `direction ${pull.name}` : `${pull.kind} ${pull.text.trim()}`;
}
