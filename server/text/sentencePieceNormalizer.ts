import { Charsmap, readCodePoint } from './charsmap.ts';
import type { NormalizerSpec } from './sentencePieceProto.ts';
import type { SentencePieceTrie } from './sentencePieceTrie.ts';

/** U+2581, LOWER ONE EIGHTH BLOCK: what a space looks like inside pieces. */
export const spaceSymbol = '\u2581';

/** A stretch of the input and what it becomes. */
interface Prefix {
  /** UTF-16 code units. */
  length: number;
  surface: string;
}

/**
 * Turns text into the form that pieces are written in: characters by the model's own table,
 * spaces collapsed and made visible, one put in front.
 *
 * reference: Normalizer.Normalize.
 */
export class SentencePieceNormalizer {
  readonly #spec: NormalizerSpec;
  readonly #charsmap: Charsmap | null;
  readonly #treatWhitespaceAsSuffix: boolean;
  /** User-defined symbols pass unchanged. */
  readonly #userDefined: SentencePieceTrie | null;

  /** @throws CheckpointFormatError when the charsmap is malformed */
  constructor(
    spec: NormalizerSpec,
    place: string,
    treatWhitespaceAsSuffix: boolean,
    userDefined: SentencePieceTrie | null,
  ) {
    this.#spec = spec;
    this.#charsmap =
      spec.precompiledCharsmap.length > 0
        ? new Charsmap(spec.precompiledCharsmap, `${place}: precompiled_charsmap`)
        : null;
    this.#treatWhitespaceAsSuffix = treatWhitespaceAsSuffix;
    this.#userDefined = userDefined;
  }

  /** What stands for a space in normalised text. */
  get space(): string {
    return this.#spec.escapeWhitespaces ? spaceSymbol : ' ';
  }

  normalize(text: string): string {
    const { removeExtraWhitespaces, addDummyPrefix } = this.#spec;
    const { space } = this;

    let position = 0;
    if (removeExtraWhitespaces) position = this.#skipSpaces(text);
    if (position === text.length) return '';

    let normalized = addDummyPrefix && !this.#treatWhitespaceAsSuffix ? space : '';
    let isPreviousSpace = removeExtraWhitespaces;
    while (position < text.length) {
      const prefix = this.#normalizePrefix(text, position);
      position += prefix.length;
      let { surface } = prefix;
      if (isPreviousSpace) surface = surface.replace(/^ +/, '');
      if (surface === '') continue;
      isPreviousSpace = removeExtraWhitespaces && surface.endsWith(' ');
      normalized += space === ' ' ? surface : surface.replaceAll(' ', space);
    }

    if (removeExtraWhitespaces) {
      let end = normalized.length;
      while (end > 0 && normalized.startsWith(space, end - 1)) end--;
      normalized = normalized.slice(0, end);
    }
    if (addDummyPrefix && this.#treatWhitespaceAsSuffix) normalized += space;
    return normalized;
  }

  #skipSpaces(text: string): number {
    let position = 0;
    while (position < text.length) {
      const { length, surface } = this.#normalizePrefix(text, position);
      if (surface !== ' ') break;
      position += length;
    }
    return position;
  }

  #normalizePrefix(text: string, offset: number): Prefix {
    const userDefinedLength = this.#userDefined?.longestMatch(text, offset) ?? 0;
    if (userDefinedLength > 0) {
      const surface = text.slice(offset, offset + userDefinedLength);
      return { length: userDefinedLength, surface };
    }
    const rule = this.#charsmap?.longestRule(text, offset);
    if (rule) return { length: rule.length, surface: rule.replacement };
    const surface = String.fromCodePoint(readCodePoint(text, offset));
    return { length: surface.length, surface };
  }
}
