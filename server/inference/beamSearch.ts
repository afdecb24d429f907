/*
 * Beam search as in fairseq2, whatever the model.
 *
 *   n — tokens of every live hypothesis, prompt included      B — beamSize
 *   score of a finished hypothesis = Σ log p / n^lenPenalty, the prompt's log p included
 *
 * reference: BeamSearchSeq2SeqGenerator and StandardBeamSearchAlgorithm of fairseq2 0.4.
 */

export interface BeamSearchOptions {
  beamSize: number;
  /** Limit of the whole sequence, prompt and end included. */
  maxSeqLen: number;
  /** Tokens before which a sequence may not end; 1 allows an empty sentence. */
  minGenLen: number;
  lenPenalty: number;
  /** Whether scores are divided by n^lenPenalty. */
  normalizeScores: boolean;
  /** Subtracted from log p of the unknown token; not negative. */
  unkPenalty: number;
}

/** The reference's defaults; its length limit is the model's. */
export const beamSearchDefaults = {
  beamSize: 5,
  minGenLen: 1,
  lenPenalty: 1,
  normalizeScores: true,
  unkPenalty: 0,
} as const satisfies Partial<BeamSearchOptions>;

export interface BeamVocabulary {
  size: number;
  eosIdx: number;
  /** Never emitted. */
  padIdx: number;
  unkIdx: number;
}

/** Sequences that are continued: `</s>` and then `token`, with log p(token | `</s>`). */
export interface Prompt {
  token: number;
  score: number;
}

/** What a model says about the next token of N hypotheses. */
export interface NextTokens {
  /** [N, k], the best of each row, descending. */
  topLogProbs: Float32Array;
  /** [N, k] */
  topTokens: BigInt64Array;
  /** [N] */
  eosLogProbs: Float32Array;
}

/**
 * Advances the model by one token in each row.
 *
 * @param tokens    the newest token of each hypothesis, [N]
 * @param parents   the row of the step before that each hypothesis continues, [N]; in the first
 *                  step the prompt's index
 * @param topCount  k
 */
export type DecodeStep = (
  tokens: readonly number[],
  parents: readonly number[],
  topCount: number,
) => Promise<NextTokens>;

/** A finished sequence. */
export interface Hypothesis {
  /** Without the prompt, with `</s>` at the end. */
  tokens: number[];
  score: number;
  /** log p of each token; the first includes the prompt's. */
  stepScores: number[];
}

/** The newest token of a hypothesis; the tokens before it hang on `parent`. */
interface Node {
  token: number;
  /** Σ log p up to here. */
  score: number;
  parent: Node | null;
}

/** A live hypothesis and the prompt that it belongs to. */
interface Row {
  prompt: number;
  node: Node;
}

interface Candidate {
  row: number;
  token: number;
  score: number;
}

/** The tokens of a prompt: `</s>` and the language. */
export const promptLength = 2;

/**
 * Continues every prompt; the live hypotheses of all prompts go through the model together.
 *
 * @param signal  checked before each step
 * @returns for each prompt its finished hypotheses, best first; none when the model says NaN
 */
export async function beamSearch(
  step: DecodeStep,
  prompts: readonly Prompt[],
  options: BeamSearchOptions,
  vocabulary: BeamVocabulary,
  signal?: AbortSignal,
): Promise<Hypothesis[][]> {
  const { beamSize, maxSeqLen, minGenLen, unkPenalty } = options;
  const { size, eosIdx, padIdx, unkIdx } = vocabulary;
  const minLen = Math.min(maxSeqLen, promptLength + minGenLen);
  const candidateCount = Math.min(2 * beamSize, size);
  // Up to three of the best tokens may be unwelcome: padding, </s> and the unknown token.
  const topCount = Math.min(candidateCount + (unkPenalty > 0 ? 3 : 2), size);

  const finished: Hypothesis[][] = prompts.map(() => []);
  let rows: Row[] = prompts.map(({ token, score }, prompt) => ({
    prompt,
    node: { token, score, parent: null },
  }));
  let parents = rows.map((_, row) => row);

  for (let n = promptLength; n < maxSeqLen && rows.length > 0; n++) {
    signal?.throwIfAborted();
    const next = await step(
      rows.map(({ node }) => node.token),
      parents,
      topCount,
    );
    const isLast = n === maxSeqLen - 1;
    const welcome = function* (row: number, { score }: Node): Generator<Candidate> {
      if (isLast) {
        yield { row, token: eosIdx, score: score + (next.eosLogProbs[row] as number) };
        return;
      }
      for (let i = row * topCount; i < (row + 1) * topCount; i++) {
        const token = Number(next.topTokens[i]);
        if (token === padIdx || (token === eosIdx && n < minLen - 1)) continue;
        const penalty = token === unkIdx ? unkPenalty : 0;
        yield { row, token, score: score + (next.topLogProbs[i] as number) - penalty };
      }
    };

    const nextRows: Row[] = [];
    const nextParents: number[] = [];
    for (const [prompt, hypotheses] of finished.entries()) {
      const candidates: Candidate[] = [];
      for (const [row, { prompt: owner, node }] of rows.entries()) {
        if (owner === prompt) candidates.push(...welcome(row, node));
      }
      const best = candidates
        .filter(({ score }) => score > Number.NEGATIVE_INFINITY) // false for NaN as well
        .sort((a, b) => b.score - a.score)
        .slice(0, candidateCount);
      const ends = best.slice(0, beamSize).filter(({ token }) => token === eosIdx);
      for (const end of ends.slice(0, beamSize - hypotheses.length)) {
        hypotheses.push(finish(toNode(end, rows), n, options));
      }
      if (hypotheses.length === beamSize) continue;
      const live = ends.length > 0 ? best.filter(({ token }) => token !== eosIdx) : best;
      for (const candidate of live.slice(0, beamSize)) {
        nextRows.push({ prompt, node: toNode(candidate, rows) });
        nextParents.push(candidate.row);
      }
    }
    rows = nextRows;
    parents = nextParents;
  }
  return finished.map((hypotheses) => hypotheses.sort((a, b) => b.score - a.score));
}

function toNode({ row, token, score }: Candidate, rows: readonly Row[]): Node {
  return { token, score, parent: rows[row]?.node ?? null };
}

/** Makes a hypothesis of n tokens, without its end, and the end. */
function finish(
  end: Node,
  n: number,
  { lenPenalty, normalizeScores }: BeamSearchOptions,
): Hypothesis {
  const tokens: number[] = [];
  const stepScores: number[] = [];
  for (let node = end; node.parent !== null; node = node.parent) {
    const isFirst = node.parent.parent === null;
    tokens.push(node.token);
    stepScores.push(isFirst ? node.score : node.score - node.parent.score);
  }
  return {
    tokens: tokens.reverse(),
    score: normalizeScores ? end.score / n ** lenPenalty : end.score,
    stepScores: stepScores.reverse(),
  };
}
