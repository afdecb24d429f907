import { assert } from '../base/errors.ts';

/*
 * The patching rules of the Byte Latent Transformer: where a text of bytes is cut into patches.
 *
 *   ids   byte + 4, behind one BOS; below 4 are BOE 0, BOS 1, EOS 2, BPE 3
 *   H     entropy of the next id in nats; H[i] belongs to position i and is about position i + 1
 *   start position of the first id of a patch; 0 (BOS) and 1 are always starts
 *
 * Every rule but `topK` decides about position i + 1 from what is known at i. With
 * `includeNextToken` the patches cover the id that comes next as well, so that a start may stand
 * one past the end.
 *
 * Source: Pagnoni et al. 2024 (arXiv:2412.09871), section 2.3.
 * reference: bytelatent.data.patcher, quirks included.
 */

export const bosId = 1;

/** What a byte's id is above the byte. */
export const byteOffset = 4;

/** The threshold of the reference's released model, fitted for patches of 4.5 bytes. */
export const defaultThreshold = 1.335442066192627;

export type EntropyRule =
  /** H > threshold */
  | { kind: 'global'; threshold: number }
  /** H rises by more than threshold; position 2 is always a start. */
  | { kind: 'monotonic'; threshold: number }
  /**
   * H > threshold and H rises by more than thresholdAdd. Position 2 is always a start and 3 never,
   * because the reference looks for an earlier start only where it has put one before it begins.
   */
  | { kind: 'combined'; threshold: number; thresholdAdd: number }
  /** As many of the largest H as make patches of `patchSize` ids in the mean. */
  | { kind: 'topK'; patchSize: number };

export interface PatchOptions {
  /** Whether the id after the last is there to be cut off as well. */
  includeNextToken?: boolean;
}

/** The starts that need no rule. */
const firstStarts = [0, 1];

/**
 * Returns the starts of the patches, ascending.
 *
 * @param entropies  H of every position, that of BOS first, [S]
 */
export function entropyPatchStarts(
  entropies: ArrayLike<number>,
  rule: EntropyRule,
  { includeNextToken = true }: PatchOptions = {},
): number[] {
  const later = Array.from(entropies).slice(1);
  if (rule.kind === 'topK') return [...firstStarts, ...topK(later, rule.patchSize)];
  const decided = includeNextToken ? later : later.slice(0, -1);
  const starts = decided.flatMap((h, i) => (isStart(rule, h, later[i - 1], i) ? [i + 2] : []));
  return [...firstStarts, ...starts];
}

/** @param before  H of the position before, undefined for the first that is asked about */
function isStart(
  rule: Exclude<EntropyRule, { kind: 'topK' }>,
  h: number,
  before: number | undefined,
  index: number,
): boolean {
  switch (rule.kind) {
    case 'global':
      return h > rule.threshold;
    case 'monotonic':
      return before === undefined || h - before > rule.threshold;
    case 'combined':
      if (before === undefined) return true;
      return h - before > rule.thresholdAdd && h > rule.threshold && index !== 1;
  }
}

/** Of equal entropies the earlier ones are chosen; the reference leaves that open. */
function topK(later: readonly number[], patchSize: number): number[] {
  const count = Math.floor((later.length + 1) / patchSize) - firstStarts.length;
  return later
    .map((h, i) => ({ h, start: i + 2 }))
    .sort((a, b) => b.h - a.h || a.start - b.start)
    .slice(0, Math.max(0, count))
    .map(({ start }) => start)
    .sort((a, b) => a - b);
}

/**
 * Returns the starts after ends of words: a patch ends with a byte that is no letter and no digit
 * of ASCII and no continuation of a character, the first of a run of such, and with every special.
 *
 * @param ids  with BOS, [S]
 */
export function spacePatchStarts(ids: ArrayLike<number>): number[] {
  const all = Array.from(ids);
  const isBreak = all.map(breaksWord);
  const starts = all.flatMap((id, i) => {
    const ends = id < byteOffset || (isBreak[i] === true && isBreak[i - 1] !== true);
    return i > 0 && ends ? [i + 1] : [];
  });
  return [...firstStarts, ...starts];
}

function breaksWord(id: number): boolean {
  const byte = id - byteOffset;
  const isDigit = byte >= 0x30 && byte <= 0x39;
  const isLetter = (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);
  const isContinuation = byte >= 0x80 && byte < 0xc0;
  return !(isDigit || isLetter || isContinuation);
}

/**
 * Returns the lengths of patches of one size, the last one of what is left.
 *
 * @param length  ids to cover, with the next one where it counts
 */
export function staticPatchLengths(length: number, patchSize: number): number[] {
  assert(
    Number.isInteger(patchSize) && patchSize > 0,
    `patch size ${patchSize}: expected 1 or more`,
  );
  const lengths = new Array<number>(Math.ceil(length / patchSize)).fill(patchSize);
  if (length % patchSize !== 0) lengths[lengths.length - 1] = length % patchSize;
  return lengths;
}

/**
 * Returns the lengths of patches from their starts.
 *
 * @param length  ids to cover, with the next one where it counts
 */
export function patchLengths(starts: readonly number[], length: number): number[] {
  return starts
    .map((start, i) => Math.min(starts[i + 1] ?? length, length) - start)
    .filter((size) => size > 0);
}

/** Splits longer patches into as many of `max` as fit, and the rest. */
export function splitLongPatches(lengths: readonly number[], max: number): number[] {
  assert(Number.isInteger(max) && max > 0, `longest patch ${max}: expected 1 or more`);
  return lengths.flatMap((length) => {
    const wholes = Math.max(0, Math.ceil(length / max) - 1);
    return [...new Array<number>(wholes).fill(max), length - wholes * max];
  });
}

/** Returns the ids of a text, BOS first. */
export function byteIds(text: string): number[] {
  return [bosId, ...Array.from(new TextEncoder().encode(text), (byte) => byte + byteOffset)];
}

/** Returns for each UTF-16 unit how many bytes of UTF-8 stand before it. */
export function byteOffsets(text: string): Uint32Array {
  const offsets = new Uint32Array(text.length + 1);
  let bytes = 0;
  for (let i = 0; i < text.length; ) {
    const code = text.codePointAt(i) ?? 0;
    const units = code > 0xffff ? 2 : 1;
    for (let unit = 0; unit < units; unit++) offsets[i + unit] = bytes;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    i += units;
  }
  offsets[text.length] = bytes;
  return offsets;
}
