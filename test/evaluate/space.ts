import type { EvaluationSet, TextPair } from './evaluationSet.ts';
import {
  cosines,
  mean,
  pairCosines,
  retrievalError,
  type Standard,
  separation,
  uniformity,
  type Vectors,
} from './geometry.ts';
import type { Product } from './product.ts';

/*
 * Whether meaning, and not wording, decides who is near whom.
 * training/evaluation/space.py is the same in Python.
 */

const numShown = 50;

export async function evaluateSpace(
  product: Product,
  set: EvaluationSet,
  standard: Standard,
  embeddings: Vectors,
) {
  const retrieval: Record<string, unknown> = {};
  for (const [lang, { pairs, fill }] of Object.entries(set.translations)) {
    if (!product.model.langs.includes(lang)) continue;
    const other = await product.encode(
      pairs.map(([text]) => text),
      lang,
    );
    const english = await product.encode([...pairs.map(([, text]) => text), ...fill]);
    const centred = (vectors: Vectors) => vectors.map((x) => standard.centred(x));
    retrieval[lang] = {
      pairs: pairs.length,
      english_candidates: english.length,
      to_english: retrievalError(other, english),
      from_english: retrievalError(english.slice(0, pairs.length), other),
      to_english_centred: retrievalError(centred(other), centred(english)),
      from_english_centred: retrievalError(centred(english.slice(0, pairs.length)), centred(other)),
    };
  }
  const plain = pairCosines(embeddings);
  const centred = pairCosines(embeddings.map((x) => standard.centred(x)));
  return {
    retrieval,
    paraphrases: await evaluateParaphrases(product, set, standard, embeddings),
    uniformity: uniformity(plain),
    mean_cosine: mean(plain),
    uniformity_centred: uniformity(centred),
    mean_cosine_centred: mean(centred),
    nearest: nearest(
      set.sentences.map(({ text }) => text),
      embeddings,
    ),
  };
}

/** Paraphrases against sentences that only stand next to each other, and those against unrelated ones. */
async function evaluateParaphrases(
  product: Product,
  set: EvaluationSet,
  standard: Standard,
  embeddings: Vectors,
) {
  const cosinesOf = async (pairs: readonly TextPair[]) => {
    const a = await product.encode(pairs.map(([text]) => text));
    const b = await product.encode(pairs.map(([, text]) => text));
    return a.map((x, i) => standard.cosine(x, b[i] ?? x));
  };
  const paraphrases = await cosinesOf(set.paraphrases);
  const neighbours = await cosinesOf(set.neighbours);
  const half = Math.floor(embeddings.length / 2);
  const unrelated = embeddings
    .slice(0, half)
    .map((x, i) => standard.cosine(x, embeddings[half + i] ?? x));
  return {
    auc: separation(paraphrases, neighbours),
    auc_neighbour_unrelated: separation(neighbours, unrelated),
    cosine: {
      paraphrases: mean(paraphrases),
      neighbours: mean(neighbours),
      unrelated: mean(unrelated),
    },
  };
}

/** Returns each of the first sentences with the other that the extension would rank first. */
function nearest(texts: readonly string[], embeddings: Vectors) {
  return cosines(embeddings.slice(0, numShown), embeddings).map((row, i) => {
    row[i] = -1;
    const best = row.indexOf(Math.max(...row));
    return { text: texts[i], nearest: texts[best], cosine: Number((row[best] ?? 0).toFixed(3)) };
  });
}
