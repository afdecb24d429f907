import { closedFormVector } from './closedForm.ts';

/** The four concepts of the golden values, raw, [4, 16]. */
export const concepts = closedFormVector('concepts', 64, 0.03);

/** The latents of the golden values, [16]. */
export const latents = closedFormVector('latent', 16);

export const normalizer = {
  center: closedFormVector('center', 16, 0.01),
  scale: closedFormVector('scale', 16).map((value) => 0.01 + 0.005 * (value + 1)),
};

/** The same concepts in normalised space, [4, 16]. */
export const normalizedConcepts = concepts.map((value, index) => {
  const { center, scale } = normalizer;
  return (value - (center[index % 16] ?? NaN)) / (scale[index % 16] ?? NaN);
});
