import type { LoadedModel, NormalizerVectors } from '../inference/inference.ts';
import { standardize, unstandardize } from '../tensor/vector.ts';

/**
 * Takes an embedding into the space in which concepts are compared, [E] → [E].
 *
 * Raw embeddings lie in a cone: what all sentences share makes any two of them alike. A normaliser
 * subtracts it, and is where concept models think.
 */
export type ConceptSpace = (embedding: Float32Array) => Float32Array;

/** Returns a space that takes each embedding there once, as long as the embedding is kept. */
export function remembering(space: ConceptSpace): ConceptSpace {
  const places = new WeakMap<Float32Array, Float32Array>();
  return (embedding) => {
    let place = places.get(embedding);
    if (place === undefined) {
      place = space(embedding);
      places.set(embedding, place);
    }
    return place;
  };
}

/**
 * Returns the space of a concept model. One that thinks in raw embeddings, as SONAR-LLMs do,
 * borrows the normaliser of another one, since they all share the encoder; where there is none,
 * raw embeddings are compared.
 */
export function conceptSpace(model: Pick<LoadedModel, 'normalizers'>, lcm: string): ConceptSpace {
  const vectors = spaceVectors(model, lcm);
  if (vectors === null) return (embedding) => embedding;
  return (embedding) => standardize(embedding, vectors.center, vectors.scales);
}

/** Returns the way back, to raw embeddings. */
export function rawSpace(model: Pick<LoadedModel, 'normalizers'>, lcm: string): ConceptSpace {
  const vectors = spaceVectors(model, lcm);
  if (vectors === null) return (placed) => placed;
  return (placed) => unstandardize(placed, vectors.center, vectors.scales);
}

function spaceVectors(
  { normalizers }: Pick<LoadedModel, 'normalizers'>,
  lcm: string,
): NormalizerVectors | null {
  const all = [normalizers[lcm], ...Object.values(normalizers)];
  return all.find((known) => known !== undefined && known !== null) ?? null;
}
