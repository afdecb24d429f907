import { Random } from '../../server/tensor/random.ts';
import { norm, scale } from '../../server/tensor/vector.ts';
import { bleu } from './bleu.ts';
import { chrf } from './chrf.ts';
import type { EvaluationSet } from './evaluationSet.ts';
import { guardFigures } from './fragileGuard.ts';
import { mean, type Standard, type Vectors } from './geometry.ts';
import type { Product } from './product.ts';
import { isWellFormed } from './words.ts';

/*
 * What is left of a sentence that went through its concept.
 * training/evaluation/autoencoder.py is the same in Python; only the noise is drawn otherwise.
 */

const noiseCosine = 0.9;
const numNoised = 100;
const numInterpolated = 200;
/** Smaller groups of a length or a source say nothing. */
const minGroup = 10;
const numExamples = 20;

export async function evaluateAutoencoder(
  product: Product,
  set: EvaluationSet,
  standard: Standard,
  embeddings: Vectors,
) {
  const known = new Set(set.words);
  const wellFormed = (texts: readonly string[]) =>
    mean(texts.map((text) => Number(isWellFormed(text, known))));
  const texts = set.sentences.map(({ text }) => text);
  const decoded = await product.decode(embeddings);
  const noised = await product.decode(
    embeddings.map((x, i) => addNoise(x, standard, new Random(1, i))),
  );
  const half = Math.floor(embeddings.length / 2);
  const between = embeddings.slice(0, Math.min(half, numInterpolated)).map((x, i) => {
    const other = embeddings[half + i] ?? x;
    return x.map((value, k) => (value + (other[k] ?? 0)) / 2);
  });
  const interpolated = await product.decode(between);
  const again = await product.encode(decoded);
  return {
    ...overlap(texts, decoded),
    chrf_noised: chrf(noised, texts),
    round_trip_cosine: mean(embeddings.map((x, i) => standard.cosine(x, again[i] ?? x))),
    well_formed: {
      original: wellFormed(texts),
      decoded: wellFormed(decoded),
      noised: wellFormed(noised.slice(0, numNoised)),
      interpolated: wellFormed(interpolated),
    },
    fragile: await evaluateFragile(product, set.fragile),
    by_length: grouped(
      set.sentences.map(({ pieces }) => lengthGroup(pieces)),
      texts,
      decoded,
    ),
    by_source: grouped(
      set.sentences.map(({ source }) => source),
      texts,
      decoded,
    ),
    examples: texts
      .slice(0, numExamples)
      .map((text, i) => ({ text, decoded: decoded[i], noised: noised[i] })),
    interpolations: interpolated
      .slice(0, 10)
      .map((text, i) => ({ a: texts[i], b: texts[half + i], between: text })),
  };
}

/** Moves a standardised embedding in a random direction until the cosine to its place is 0.9. */
function addNoise(embedding: Float32Array, standard: Standard, random: Random): Float32Array {
  const x = standard.apply(embedding);
  const direction = random.gaussians(x.length);
  const length = (norm(x) / norm(direction)) * Math.sqrt(1 / noiseCosine ** 2 - 1);
  const noise = scale(length, direction);
  return standard.undo(x.map((value, i) => value + (noise[i] ?? 0)));
}

function overlap(texts: readonly string[], decoded: readonly string[]) {
  return {
    sentences: texts.length,
    chrf: chrf(decoded, texts),
    bleu: bleu(decoded, texts),
    exact_match: mean(texts.map((text, i) => Number(text === decoded[i]))),
  };
}

function lengthGroup(pieces: number): string {
  const low = Math.floor((pieces - 1) / 5) * 5 + 1;
  return `${low}-${low + 4}`;
}

function grouped(
  groups: readonly string[],
  texts: readonly string[],
  decoded: readonly string[],
): Record<string, ReturnType<typeof overlap>> {
  const names = [...new Set(groups)].sort((a, b) =>
    a.localeCompare(b, 'en', { numeric: true, sensitivity: 'base' }),
  );
  const figures: Record<string, ReturnType<typeof overlap>> = {};
  for (const name of names) {
    const of = (all: readonly string[]) => all.filter((_, i) => groups[i] === name);
    if (of(texts).length >= minGroup) figures[name] = overlap(of(texts), of(decoded));
  }
  return figures;
}

/** How often a number or a name is not in the decoded sentence as it was. */
async function evaluateFragile(product: Product, items: EvaluationSet['fragile']) {
  const decoded = await product.decode(await product.encode(items.map(({ text }) => text)));
  const lost = { number: [] as number[], name: [] as number[] };
  const changed = items.map(({ spans }, i) => {
    const isLost = spans.map((span) => !(decoded[i] ?? '').includes(span));
    for (const [k, span] of spans.entries()) {
      lost[/^\d/.test(span) ? 'number' : 'name'].push(Number(isLost[k]));
    }
    return Number(isLost.includes(true));
  });
  return {
    sentences: items.length,
    sentences_changed: mean(changed),
    numbers: lost.number.length,
    names: lost.name.length,
    numbers_changed: mean(lost.number),
    names_changed: mean(lost.name),
    guard: guardFigures(
      items.map(({ text }) => text),
      decoded,
    ),
  };
}
