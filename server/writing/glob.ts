/*
 * Globs of files in the syntax of VS Code and LSP: `*` and `?` within a segment of a path, `**` any
 * number of segments, `{a,b}` alternatives, `[a-z]` and `[!a-z]` one character of some.
 * They may come with a repository, so nothing here backtracks: matching takes at most the product
 * of the lengths. Letters are alike in both cases, as on most disks.
 */

/** A glob that cannot be read; the message tells why. Permanent: the writer corrects it. */
export class GlobSyntaxError extends Error {
  override readonly name = 'GlobSyntaxError';
}

/** A glob, read: paths that match any of its alternatives match. */
export interface Glob {
  readonly alternatives: readonly (readonly Segment[])[];
  /** Its length with all alternatives spelled out, in tokens: what matching it costs. */
  readonly size: number;
}

/** What stands between two slashes; null is `**`. */
type Segment = readonly Token[] | null;

/** What takes one character, or `*`, which takes any number. */
type Token = '*' | ((character: string) => boolean);

/** A token, or what ends a segment. */
type Piece = Token | '/';

/** In UTF-16 units. */
const maxLength = 512;
const maxAlternatives = 64;

/** @throws GlobSyntaxError */
export function parseGlob(pattern: string): Glob {
  if (pattern === '') throw new GlobSyntaxError('expected a glob, found nothing');
  if (pattern.length > maxLength) {
    throw new GlobSyntaxError(`expected at most ${maxLength} characters, found ${pattern.length}`);
  }
  if (pattern.startsWith('!')) throw new GlobSyntaxError('expected no ! at the beginning');
  const text = canonical(pattern).replace(/^(?:\.\/)+/, '');
  const { sequences } = new Reader(text).readSequences('');
  return {
    alternatives: sequences.map(segmentsOf),
    size: sequences.reduce((size, sequence) => size + sequence.length, 0),
  };
}

/** @param path  with any slashes; the whole of it must match */
export function matchesGlob({ alternatives }: Glob, path: string): boolean {
  const names = canonical(path)
    .split('/')
    .map((name) => Array.from(name));
  return alternatives.some((segments) =>
    matchesAll(segments, names, (segment) => segment === null, matchesSegment),
  );
}

function matchesSegment(segment: Segment, name: readonly string[]): boolean {
  return matchesAll(
    segment ?? [],
    name,
    (token) => token === '*',
    (token, character) => token !== '*' && token(character),
  );
}

/**
 * Matches a row of items with a pattern of which some take any number of items. Going back to the
 * last of these is enough: what an earlier one could take besides, the last one can as well.
 */
function matchesAll<P, T>(
  pattern: readonly P[],
  items: readonly T[],
  takesAny: (part: P) => boolean,
  takes: (part: P, item: T) => boolean,
): boolean {
  let [at, last, retryAt] = [0, -1, 0];
  for (let index = 0; index < items.length; ) {
    const part = pattern[at];
    const item = items[index];
    if (part !== undefined && takesAny(part)) {
      last = at;
      retryAt = index;
      at += 1;
    } else if (part !== undefined && item !== undefined && takes(part, item)) {
      at += 1;
      index += 1;
    } else if (last >= 0) {
      at = last + 1;
      retryAt += 1;
      index = retryAt;
    } else return false;
  }
  return pattern.slice(at).every(takesAny);
}

/** The same for both slashes, both cases, and both ways to write an accent. */
function canonical(text: string): string {
  return text.replaceAll('\\', '/').normalize('NFC').toLowerCase();
}

/** A slash at the end means what lies in the folder. */
function segmentsOf(pieces: readonly Piece[]): Segment[] {
  const segments: Token[][] = [[]];
  for (const piece of pieces) {
    if (piece === '/') segments.push([]);
    else segments.at(-1)?.push(piece);
  }
  return segments.map((segment, index) => {
    const isFolder = segment.length === 0 && index > 0 && index === segments.length - 1;
    const isAny = segment.length === 2 && segment.every((token) => token === '*');
    return isFolder || isAny ? null : segment;
  });
}

/** Reads a glob from left to right, with every alternative spelled out. */
class Reader {
  readonly #characters: readonly string[];
  #at = 0;

  constructor(text: string) {
    this.#characters = Array.from(text);
  }

  /** Reads up to one of some characters; to the end when there are none. */
  readSequences(ends: string): { sequences: Piece[][]; end: string } {
    let sequences: Piece[][] = [[]];
    const append = (piece: Piece) => {
      for (const sequence of sequences) sequence.push(piece);
    };
    const fork = (branches: readonly Piece[][]) => {
      if (sequences.length * branches.length > maxAlternatives) {
        throw new GlobSyntaxError(`expected at most ${maxAlternatives} alternatives, found more`);
      }
      sequences = sequences.flatMap((before) => branches.map((branch) => [...before, ...branch]));
    };
    for (;;) {
      const character = this.#characters[this.#at++];
      if (character === undefined) {
        if (ends !== '') throw new GlobSyntaxError('expected a } for every {');
        return { sequences, end: '' };
      }
      if (ends.includes(character)) return { sequences, end: character };
      if (character === '{') fork(this.#readAlternatives());
      else if (character === '[') append(this.#readSet());
      else if (character === '?') append(() => true);
      else if (character === '*' || character === '/') append(character);
      else append((other) => other === character);
    }
  }

  #readAlternatives(): Piece[][] {
    const all: Piece[][] = [];
    for (;;) {
      const { sequences, end } = this.readSequences(',}');
      all.push(...sequences);
      if (end === '}') return all;
    }
  }

  #readSet(): Token {
    // A ] that comes first is one of the characters.
    const isNegated = this.#characters[this.#at] === '!' || this.#characters[this.#at] === '^';
    const start = this.#at + (isNegated ? 1 : 0);
    const end = this.#characters.indexOf(']', start + 1);
    if (end < 0) throw new GlobSyntaxError('expected a ] for every [');
    this.#at = end + 1;
    const ranges = rangesOf(this.#characters.slice(start, end));
    return (character) =>
      ranges.some(([first, last]) => first <= character && character <= last) !== isNegated;
  }
}

function rangesOf(characters: readonly string[]): [string, string][] {
  const ranges: [string, string][] = [];
  for (let index = 0; index < characters.length; index++) {
    const first = characters[index] ?? '';
    const last = characters[index + 2];
    if (characters[index + 1] !== '-' || last === undefined) ranges.push([first, first]);
    else if (first > last) {
      throw new GlobSyntaxError(`expected a range in order, found ${first}-${last}`);
    } else {
      ranges.push([first, last]);
      index += 2;
    }
  }
  return ranges;
}
