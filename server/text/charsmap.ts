import { CheckpointFormatError } from '../base/errors.ts';

/*
 * A precompiled charsmap is the table of a normalisation: which character sequences become what.
 *
 *   uint32 trie size in bytes | double array of uint32 units | replacements, each ended by NUL
 *
 * All numbers are little-endian. A unit of the double array holds, by bits:
 *   inner  31 = 0, 10–30 offset, 9 offset is shifted by 8, 8 has a leaf, 0–7 label
 *   leaf   31 = 1, 0–30 value: where the replacement starts
 * The children of unit i lie at i ^ offset ^ label, in one block of 256; its leaf at i ^ offset.
 *
 * Source: Yata, darts-clone (github.com/s-yata/darts-clone);
 * reference: Normalizer.DecodePrecompiledCharsMap, Normalizer.NormalizePrefix.
 */

/** The longest rule of NFKC has 4 characters. The limit bounds the work per character of a text. */
const maxRuleLength = 256;

/** The longest replacement of NFKC has 33 bytes. The limit bounds how much a text can grow. */
const maxReplacementBytes = 1024;

const headerBytes = 4;
const blockUnits = 256;

const leafBit = 0x80000000;

/** What the longest rule at a place says. */
export interface CharsmapRule {
  /** UTF-16 code units that the rule takes. */
  length: number;
  replacement: string;
}

export class Charsmap {
  readonly #units: Uint32Array;
  readonly #replacements: Uint8Array;
  readonly #decoded = new Map<number, string>();

  /**
   * Reads a charsmap and checks every reference in it, so that lookups need not.
   *
   * @throws CheckpointFormatError when a size or a reference leaves the table
   */
  constructor(bytes: Uint8Array, place: string) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const trieBytes = bytes.length >= headerBytes ? view.getUint32(0, true) : 0;
    const left = bytes.length - headerBytes;
    if (trieBytes === 0 || trieBytes % (blockUnits * 4) !== 0 || trieBytes >= left) {
      throw new CheckpointFormatError(
        `${place}: expected a trie of whole blocks within ${left} bytes, found ${trieBytes} bytes`,
      );
    }
    this.#units = new Uint32Array(trieBytes / 4);
    for (let index = 0; index < this.#units.length; index++) {
      this.#units[index] = view.getUint32(headerBytes + 4 * index, true);
    }
    this.#replacements = bytes.subarray(headerBytes + trieBytes);
    checkReplacements(this.#replacements, place);
    checkUnits(this.#units, this.#replacements, place);
  }

  /** Returns the longest rule that matches `text` at `offset`, or null. */
  longestRule(text: string, offset: number): CharsmapRule | null {
    const units = this.#units;
    const end = Math.min(text.length, offset + maxRuleLength);
    let node = unitOffset(units[0] as number); // checked: there is at least one block
    let length = 0;
    let value = 0;

    for (let position = offset; position < end; ) {
      const codePoint = readCodePoint(text, position);
      position += codePoint > 0xffff ? 2 : 1;
      // UTF-8, from the lead byte to the last continuation byte.
      for (let shift = leadShift(codePoint); shift >= 0; shift -= 6) {
        const label = utf8Byte(codePoint, shift);
        node ^= label;
        const unit = units[node] as number; // checked: children stay inside the array
        if ((unit & (leafBit | 0xff)) !== label) return this.#rule(length, value);
        node ^= unitOffset(unit);
        if (shift === 0 && hasLeaf(unit)) {
          length = position - offset;
          value = (units[node] as number) & ~leafBit;
        }
      }
    }
    return this.#rule(length, value);
  }

  #rule(length: number, value: number): CharsmapRule | null {
    if (length === 0) return null;
    let replacement = this.#decoded.get(value);
    if (replacement === undefined) {
      const end = this.#replacements.indexOf(0, value);
      replacement = decodeUtf8(this.#replacements.subarray(value, end));
      this.#decoded.set(value, replacement);
    }
    return { length, replacement };
  }
}

/** Returns the code point at `offset`; a lone surrogate is U+FFFD, as in any UTF-8 encoder. */
export function readCodePoint(text: string, offset: number): number {
  const codePoint = text.codePointAt(offset) as number; // callers stay inside the text
  return codePoint >= 0xd800 && codePoint <= 0xdfff ? 0xfffd : codePoint;
}

function leadShift(codePoint: number): number {
  return codePoint < 0x80 ? 0 : codePoint < 0x800 ? 6 : codePoint < 0x10000 ? 12 : 18;
}

function utf8Byte(codePoint: number, shift: number): number {
  if (shift !== leadShift(codePoint)) return 0x80 | ((codePoint >> shift) & 0x3f);
  const mark = shift === 0 ? 0 : shift === 6 ? 0xc0 : shift === 12 ? 0xe0 : 0xf0;
  return mark | (codePoint >> shift);
}

function unitOffset(unit: number): number {
  return (unit >>> 10) << ((unit & 0x200) >> 6);
}

function hasLeaf(unit: number): boolean {
  return (unit & 0x100) !== 0;
}

function decodeUtf8(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
}

function checkReplacements(replacements: Uint8Array, place: string): void {
  if (replacements.at(-1) !== 0) {
    throw new CheckpointFormatError(`${place}: expected NUL after the last replacement`);
  }
  for (let start = 0; start < replacements.length; ) {
    const end = replacements.indexOf(0, start);
    const length = end - start;
    if (length > maxReplacementBytes) {
      const expected = `expected at most ${maxReplacementBytes} bytes`;
      throw new CheckpointFormatError(
        `${place}: replacement at ${start}: ${expected}, found ${length}`,
      );
    }
    start = end + 1;
  }
  try {
    decodeUtf8(replacements);
  } catch (cause) {
    throw new CheckpointFormatError(`${place}: expected replacements in UTF-8`, { cause });
  }
}

function checkUnits(units: Uint32Array, replacements: Uint8Array, place: string): void {
  for (let index = 0; index < units.length; index++) {
    const unit = units[index] as number;
    if ((unit & leafBit) !== 0) continue;
    const children = index ^ unitOffset(unit);
    if (children < 0 || children >= units.length) {
      throw new CheckpointFormatError(
        `${place}: unit ${index}: expected children below ${units.length}, found ${children}`,
      );
    }
    if (!hasLeaf(unit)) continue;
    const leaf = units[children] as number;
    const value = leaf & ~leafBit;
    const first = replacements[value];
    if ((leaf & leafBit) === 0 || first === undefined || (first & 0xc0) === 0x80) {
      throw new CheckpointFormatError(
        `${place}: unit ${index}: expected a leaf with the start of a replacement, found ${value}`,
      );
    }
  }
}
