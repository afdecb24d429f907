/** The document formats whose prose we can tell from their markup. */
export type ProseFormat = 'markdown' | 'latex' | 'plaintext';

/** A run of text: offsets, half-open. */
export interface ProsePiece {
  readonly start: number;
  readonly end: number;
}

export type ProseKind = 'paragraph' | 'listItem' | 'blockquote' | 'footnote';

/** A paragraph of prose with the markup taken out, and the way back to the document. */
export interface ProseBlock {
  readonly kind: ProseKind;
  /** Document offset of its first prose character. */
  readonly start: number;
  /** Document offset one past its last prose character. */
  readonly end: number;
  /** Where its prose stands in the document, in order. */
  readonly pieces: readonly ProsePiece[];
  /** Its prose, white space as single spaces. */
  readonly text: string;
  /** Parts of `text` that no sentence ends inside: code, maths, addresses. */
  readonly solids: readonly ProsePiece[];
  /** Prose offset → document offset of that character. */
  toDocument(offset: number): number;
  /** Prose offset, at least 1 → document offset one past the character before it. */
  toDocumentEnd(offset: number): number;
  /** Document offset → how many characters of `text` stand before it. */
  toProse(offset: number): number;
}

/**
 * A stretch of source that is one thing: a paragraph with its prose, or, without `block`, something
 * that is not prose. `holes` are the parts of a paragraph in which nothing is to be written.
 */
export interface Flow {
  readonly start: number;
  readonly end: number;
  readonly block?: ProseBlock;
  readonly holes?: readonly ProsePiece[];
}

/** A sentence and where it stands; offsets are document offsets, half-open. */
export interface Sentence {
  /** Its prose, without markup and surrounding white space. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** Document offset where its block begins: equal for the sentences of one paragraph. */
  readonly block: number;
  /** The prose of its block as far as its sentences are complete: what its language shows in. */
  readonly paragraph: string;
  /** It ends with terminal punctuation, or its block has ended. */
  readonly complete: boolean;
}

/** Prose from `prose` on stands in the source at `start` to `end`; `isVerbatim`: one to one. */
interface Run {
  readonly prose: number;
  readonly start: number;
  end: number;
  readonly isVerbatim: boolean;
}

const unevenSpace = /\s{2,}|[\t\n\v\f\r]/;
const spaceOrText = /\s+|\S+/g;

/** Collects the prose of one paragraph and remembers where it came from. */
export class ProseBuilder {
  #text = '';
  readonly #runs: Run[] = [];
  readonly #solids: ProsePiece[] = [];
  readonly #holes: ProsePiece[] = [];
  #isAfterHole = false;
  #pendingSpace: ProsePiece | undefined;
  /** Where the open solid begins: `null` before its first character, `undefined` outside. */
  #solidStart: number | null | undefined;

  get isEmpty(): boolean {
    return this.#text === '';
  }

  /** Adds source text as it stands; runs of white space become one space. */
  add(source: string, start: number, end: number): void {
    const part = source.slice(start, end);
    if (!unevenSpace.test(part)) {
      this.#addPart(part, start);
      return;
    }
    for (const match of part.matchAll(spaceOrText)) {
      const at = start + match.index;
      if (match[0].trim() === '') this.space(at, at + match[0].length);
      else this.#addPart(match[0], at);
    }
  }

  /** Adds text that stands for a stretch of source as a whole, as an entity does. */
  addReplacement(text: string, start: number, end: number): void {
    if (text.trim() === '') {
      this.space(start, end);
      return;
    }
    this.#flushSpace(text);
    this.#runs.push({ prose: this.#text.length, start, end, isVerbatim: false });
    this.#append(text);
  }

  /** Adds one space for a stretch of source, unless there is one already. */
  space(start: number, end: number): void {
    if (this.#text !== '') this.#pendingSpace ??= { start, end };
  }

  /** Notes a stretch of source that is not prose. */
  hole(start: number, end: number): void {
    this.#holes.push({ start, end });
    this.#isAfterHole = true;
  }

  /** Begins a part of the prose that no sentence may end inside, nor a new one begin. */
  beginSolid(start: number, end: number): void {
    this.#holes.push({ start, end });
    this.#solidStart = null;
  }

  endSolid(): void {
    const start = this.#solidStart ?? this.#text.length;
    if (this.#text.length > start) this.#solids.push({ start, end: this.#text.length });
    this.#solidStart = undefined;
  }

  /** Returns the paragraph between two source offsets. */
  finish(kind: ProseKind, start: number, end: number): Flow {
    if (this.#text === '') return { start, end };
    const block = new MappedBlock(kind, this.#text, this.#runs, this.#solids);
    return { start, end, block, holes: this.#holes };
  }

  #addPart(part: string, start: number): void {
    let [from, to] = [0, part.length];
    while (from < to && part[from] === ' ') from += 1;
    while (to > from && part[to - 1] === ' ') to -= 1;
    if (from > 0) this.space(start, start + from);
    if (from < to) this.#addTrimmed(part.slice(from, to), start + from);
    if (to < part.length && from < to) this.space(start + to, start + part.length);
  }

  #addTrimmed(text: string, start: number): void {
    this.#flushSpace(text);
    const last = this.#runs.at(-1);
    if (
      last?.isVerbatim &&
      last.end === start &&
      start - last.start === this.#text.length - last.prose
    ) {
      last.end = start + text.length;
    } else {
      const end = start + text.length;
      this.#runs.push({ prose: this.#text.length, start, end, isVerbatim: true });
    }
    this.#append(text);
  }

  #append(text: string): void {
    if (this.#solidStart === null) this.#solidStart = this.#text.length;
    this.#text += text;
  }

  /** Writes the space that was held back; after a hole none is wanted before punctuation. */
  #flushSpace(next: string): void {
    const space = this.#pendingSpace;
    this.#pendingSpace = undefined;
    const isDropped = this.#isAfterHole && /^[.,;:!?)\]]/.test(next);
    this.#isAfterHole = false;
    if (space === undefined || isDropped) return;
    const isVerbatim = space.end - space.start === 1;
    const last = this.#runs.at(-1);
    const isAdjacent = isVerbatim && last?.isVerbatim && last.end === space.start;
    if (isAdjacent) last.end = space.end;
    else this.#runs.push({ ...space, prose: this.#text.length, isVerbatim });
    this.#text += ' ';
  }
}

class MappedBlock implements ProseBlock {
  readonly kind: ProseKind;
  readonly text: string;
  readonly solids: readonly ProsePiece[];
  readonly #runs: readonly Run[];

  constructor(kind: ProseKind, text: string, runs: readonly Run[], solids: readonly ProsePiece[]) {
    this.kind = kind;
    this.text = text;
    this.solids = solids;
    this.#runs = runs;
  }

  get start(): number {
    return this.toDocument(0);
  }

  get end(): number {
    return this.toDocumentEnd(this.text.length);
  }

  get pieces(): readonly ProsePiece[] {
    const pieces: { start: number; end: number }[] = [];
    for (const { start, end } of this.#runs) {
      const last = pieces.at(-1);
      if (last !== undefined && last.end === start) last.end = end;
      else pieces.push({ start, end });
    }
    return pieces;
  }

  toDocument(offset: number): number {
    const run = this.#runAt(offset);
    return run.isVerbatim ? Math.min(run.start + offset - run.prose, run.end) : run.start;
  }

  toDocumentEnd(offset: number): number {
    const run = this.#runAt(offset - 1);
    return run.isVerbatim ? run.start + offset - run.prose : run.end;
  }

  toProse(offset: number): number {
    let count = 0;
    for (const [i, run] of this.#runs.entries()) {
      if (run.start >= offset) break;
      const next = this.#runs[i + 1]?.prose ?? this.text.length;
      if (run.isVerbatim) count = run.prose + Math.min(offset, run.end) - run.start;
      else count = run.end <= offset ? next : run.prose;
    }
    return count;
  }

  #runAt(offset: number): Run {
    let [low, high] = [0, this.#runs.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#runs[middle]?.prose ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    // A block has at least one run, since its text is not empty.
    return this.#runs[low] as Run;
  }
}

/** Returns the block moved by `shift` characters. */
export function shiftBlock(block: ProseBlock, shift: number): ProseBlock {
  return {
    kind: block.kind,
    start: block.start + shift,
    end: block.end + shift,
    pieces: block.pieces.map(({ start, end }) => ({ start: start + shift, end: end + shift })),
    text: block.text,
    solids: block.solids,
    toDocument: (offset) => block.toDocument(offset) + shift,
    toDocumentEnd: (offset) => block.toDocumentEnd(offset) + shift,
    toProse: (offset) => block.toProse(offset - shift),
  };
}
